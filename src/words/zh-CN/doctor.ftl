# udpcli doctor：每一项检查结果是一句话。外面的一行有严重程度和代码。

ok = 正常：{ $what } [{ $code }]
warning = 注意：{ $what } [{ $code }]
problem = 问题：{ $what } [{ $code }]
command = {"  "}输入：{ $command }
failed = 本机有问题，数据报会收不到，或者掌控板连不上：{ $codes }

address = 请在掌控板的程序里填写地址 { $address }，端口 { $port }（{ $interface }）
addresses = 请在掌控板的程序里填写地址 { $address }，端口 { $port }（{ $interface }）；从其他网络：{ $others }
self-assigned = 路由器没有给本机分配地址：{ $address }（{ $interface }）只能用于同样没有分到地址的设备之间
no-address = 本机没有连接网络：请先连上掌控板所用的 Wi-Fi
port-free = UDP 端口 { $port } 空闲
port-in-use = UDP 端口 { $port } 被另一个程序占用
port-held = UDP 端口 { $port } 被另一个程序占用：{ $holders }；请结束它，或者改用别的端口
port-refused = 系统不允许当前用户使用 UDP 端口 { $port }
windows-firewall = Windows Defender 防火墙
macos-firewall = macOS 自带的防火墙
rule-default = { $network ->
        [Public] 公用网络
        [Private] 专用网络
       *[Domain] 域网络
    }默认阻止传入的数据
rule-blocks-all = { $network ->
        [Public] 公用网络
        [Private] 专用网络
       *[Domain] 域网络
    }阻止所有传入连接
firewall-off = 没有开启防火墙
firewall-allows = 防火墙（{ $by }）放行发往 UDP 端口 { $port } 的数据报
firewall-partly = 防火墙（{ $by }）只放行一部分发往 UDP 端口 { $port } 的数据报；如果收不到数据，请放行这个端口
firewall-partly-prescribed = 防火墙（{ $by }）只放行一部分发往 UDP 端口 { $port } 的数据报，而且它由网络管理员统一管理，在这台电脑上添加规则不起作用。如果收不到数据，请告诉管理员：“请添加入站规则，允许 udpcli 用 UDP 本地端口 { $port } 接收数据”
firewall-asks = udpcli 第一次接收时防火墙（{ $by }）会询问：请允许 udpcli，或者放行这个端口
firewall-blocks = 防火墙（{ $by }）会丢弃发往 UDP 端口 { $port } 的数据报（规则：{ $rule }）
firewall-blocks-prescribed = 防火墙（{ $by }）会丢弃发往 UDP 端口 { $port } 的数据报（规则：{ $rule }）。它由网络管理员统一管理，在这台电脑上改不了。请告诉管理员：“请添加入站规则，允许 udpcli 用 UDP 本地端口 { $port } 接收数据”
firewall-unread = 防火墙（{ $by }）已开启，但只有管理员能查看它的规则；如果收不到数据，请放行 UDP 端口 { $port }
firewall-unknown = 没能读到防火墙的全部规则，所以无法判断它会不会丢弃数据报；管理员可以查看这些规则
board = { $port } 上有一块掌控板（{ $chip }）
serial-ready = 串口 { $port } 可以使用
no-serial = 没有串口：如果已经插上掌控板，请换一根能传数据的线，并检查驱动是否装好
no-board = 没有看起来像掌控板的串口（{ $others }）：如果已经插上掌控板，请换一根能传数据的线，并检查驱动是否装好
serial-in-use = 串口 { $port } 正被另一个程序使用：{ $holder }
brltty = 掌控板已经插上，但盲文显示器的驱动 brltty 抢占了它；请卸载 brltty，然后重新插上掌控板
brltty-holds = 盲文显示器的驱动 brltty 正在使用串口 { $port }；请卸载 brltty，然后重新插上掌控板
serial-group = 当前用户无权打开 { $port }：它属于用户组 { $group }；请加入这个组，然后重新登录
serial-login = 当前用户暂时无权打开 { $port }：请注销后重新登录，用户组 { $group } 的权限才会生效
serial-denied = 当前用户无权打开 { $port }
serial-missing = 设置里写的串口 { $port } 不存在
no-driver = 插上了一块带 { $chip } 芯片的掌控板，但驱动没有为它创建串口
no-driver-windows = 没有找到掌控板的串口；这台电脑上插过带 { $chip } 芯片的掌控板，但没有装它的驱动：请安装驱动，再重新插上掌控板
driver-old = { $port } 的驱动（{ $chip }）是 { $year } 年的，比 Windows 10 还旧：如果掌控板没有反应，请到厂家网站安装新的驱动
serial-unknown = 系统没有列出串口

blocked = 防火墙（{ $by }）会丢弃其他设备发给本程序的数据；要放行，请以管理员身份输入：{ $command }
blocked-prescribed = 防火墙（{ $by }）会丢弃其他设备发给本程序的数据。它由网络管理员统一管理，在这台电脑上改不了。请告诉管理员：“请添加入站规则，允许 udpcli 用 UDP 本地端口 { $port } 接收数据”
