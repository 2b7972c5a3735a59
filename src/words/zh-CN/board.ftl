# 电脑与掌控板之间：出了什么错（消息本身），接下来输入什么或做什么（.hint）。

no-board = 没有找到掌控板
    .hint = USB 线能传数据吗（有些只能充电）？驱动装好了吗（CP2104 或 CH340）？udpcli board list 会列出现有的串口
    .hint-others = 只找到 { $others }，看起来不像掌控板。USB 线能传数据吗？驱动装好了吗？如果它就是你的掌控板，请加上 -s PORT
many-boards = 找到 { $count } 块掌控板
    .hint = 用 -s 选一块：{ $ports }
list = 无法列出串口
open = 无法打开串口 { $port }
    .hint = udpcli board list 会列出现有的串口
    .hint-network = 提供串口的程序（ser2net、esp_rfc2217_server）在那边运行了吗？防火墙放行了吗？
    .hint-brltty = brltty 是盲文显示器的驱动，会抢占 USB 串口适配器：运行 sudo apt remove brltty，然后重新插上掌控板
    .hint-holder = 请关闭那个程序，或者断开它的串口连接
    .hint-held = 另一个程序打开了这个串口：编辑器（mPython、Mind+、米思齐（Mixly）、Thonny、Arduino）、终端，或另一个 udpcli
    .hint-group = 这个串口属于用户组 { $group }：运行 sudo usermod -aG { $group } $USER，然后重新登录
    .hint-permission = 把自己加入这个串口所属的用户组，然后重新登录：sudo usermod -aG dialout $USER（Arch 上是 uucp）
    .hint-whole-name = 请写串口的完整名称：-s /dev/{ $name }
open-held = 无法打开串口 { $port }：正被 { $holder } 占用
gone = 串口 { $port } 断开了
    .hint = USB 线被拔掉，或者掌控板断电了；USB 线或集线器接触不良也会这样
stuck = 串口 { $port } 不再接收数据
    .hint = 拔下 USB 插头再插上
    .hint-network = 请重启提供串口的程序（ser2net、esp_rfc2217_server）
lines = 无法通过控制线复位 { $port } 上的掌控板
    .hint = 请改按掌控板上的 RESET 键
silent = { $waited } 内没有收到 { $port } 上掌控板的应答
    .hint = 再试一次，并在此期间按掌控板的 RESET 键：这个串口没有控制线，无法用它复位。这是掌控板的串口吗（udpcli board list）？固件是 MicroPython 吗？波特率与 --baud 一致吗？
    .hint-lines = 按一下掌控板的 RESET 键再试，或者用 --connect-timeout 多给一些时间：这次的时间太短，来不及复位。这是掌控板的串口吗（udpcli board list）？固件是 MicroPython 吗？波特率与 --baud 一致吗？
    .hint-reset = 通过控制线复位也没有用。这是掌控板的串口吗（udpcli board list）？固件是 MicroPython 吗？波特率与 --baud 一致吗？
download-mode = { $port } 上的掌控板处于下载模式，正在等待固件
    .hint = 按一下掌控板的 RESET 键，同时不要按住其他键；如果又回到下载模式，就需要刷入固件：udpcli board{ $serial } flash
noise = 以 { $baud } 波特从 { $port } 收到的数据无法辨认
    .hint = 波特率不对吗？常用的是 --baud 115200，也有 74880、460800 和 921600；有些板子的启动信息也是这个样子
deaf = { $port } 上的掌控板在 { $waited } 内没有响应 Ctrl-C
    .hint = 在 udpcli 尝试连接时按掌控板的 RESET 键。如果是 main.py 关闭了 Ctrl-C，每次都会这样：运行 udpcli board{ $serial } mv :main.py :old.py，在它尝试时按 RESET，就能把这个程序挪开；也可以刷入新固件
no-firmware = { $port } 上的掌控板没有固件：闪存是空的
    .hint = 请刷入固件：udpcli board{ $serial } flash mpython.bin（它的日志里写着 { $said }）
no-firmware-while = { $doing }时发现 { $port } 上的掌控板没有固件：闪存是空的
firmware-damaged = { $port } 上掌控板的固件已损坏，无法启动
firmware-damaged-while = { $doing }时发现 { $port } 上掌控板的固件已损坏，无法启动
brown-out = { $port } 上掌控板的供电电压过低
    .hint = 换一根 USB 线，直接插到电脑上而不是集线器上，并拔掉电机和灯带（它的日志里写着 { $said }）
brown-out-while = { $doing }时，{ $port } 上掌控板的供电电压过低
panic = { $port } 上掌控板的固件崩溃了
    .hint = 按一下它的 RESET 键；如果每次启动都崩溃，请重新刷入固件：udpcli board{ $serial } flash mpython.bin（它的日志里写着 { $said }）
panic-while = { $doing }时，{ $port } 上掌控板的固件崩溃了
echo = { $port } 把收到的数据原样发回：那里没有掌控板应答
    .hint = 这是掌控板的串口吗（udpcli board list）？插了回环插头，或者适配器的 TX 与 RX 相连，就会这样
not-micropython = { $port } 上运行的不是 MicroPython
    .hint = 它输出的是 { $said }，像是 Arduino 程序或其他程序；要给掌控板刷入 mPython 固件：udpcli board{ $serial } flash mpython.bin。如果其实是关闭了 Ctrl-C 的 MicroPython 程序：运行 udpcli board{ $serial } info，在它尝试时按掌控板的 RESET 键
interrupted = 已按 Ctrl-C 停止
no-answer = { $doing }时，{ $port } 上的掌控板不再应答
    .hint = 请再试一次；如果还不行，就复位掌控板：udpcli board{ $serial } reset --hard
restarted = { $doing }时，掌控板重新启动了
    .hint = 供电不足或 USB 线太差也会这样（欠压复位），多半发生在 Wi-Fi 启动时
answer = { $doing }时，掌控板的应答不对：{ $said }
refused = { $doing }时，掌控板上出现异常：{ $exception }
chatter = { $doing }时，掌控板上有程序不停地输出：{ $said }
    .hint = 软复位也没能让它停下，说明掌控板的 boot.py 启动了一个会输出内容的定时器或线程：在提示符下删除它（udpcli board{ $serial } repl，然后输入 import os; os.remove('boot.py')），再按 RESET 键
garbled = { $doing }时，串口数据损坏了 { $times } 次
    .hint = 线路上有数据丢失：请换一根线或换一个 USB 口；如果固件允许，也可以降低 --baud
compiled = { $name } 是编译过的 MicroPython（.mpy），不是 Python 源程序
    .hint = 先放到掌控板上，再用 import 导入：udpcli board put FILE.mpy :
utf16 = { $name } 是 UTF-16 文本，掌控板读不了
    .hint = 请在编辑器里另存为 UTF-8
binary = { $name } 不是 Python 源程序
    .hint = 请给出一个 Python 程序的文本文件
on-the-board = { $path } 是掌控板上的文件；run 要的是电脑上的文件
    .hint = 要运行它：echo 'import { $module }' | udpcli board run -
traceback = 程序因 { $exception } 而结束
no-display = 掌控板上没有可以镜像的 OLED
    .hint = 镜像取自 mpython 模块的 `oled`，在米思齐（Mixly）固件里是 `onboard_oled`：掌控板用的是这两种固件之一吗？屏幕接好了吗？
nothing-shown = 掌控板上的程序没有在 OLED 上显示任何内容

# 掌控板的文件系统。

no-such-file = 掌控板上没有 { $path }
    .hint = udpcli board{ $serial } ls 会列出掌控板上的文件
    .hint-slashes = 改用斜杠就是 :{ $path }；udpcli board{ $serial } ls 会列出掌控板上的文件
is-folder = 掌控板上的 { $path } 是文件夹
    .hint = 文件要换个名字，或者放进这个文件夹（:FOLDER/）；get 会把整个文件夹取到电脑上的文件夹里，不能输出到 -
full = 掌控板的文件系统已满：{ $path } 需要 { $needed } 字节，只剩 { $free } 字节
    .hint = udpcli board{ $serial } ls -r 可以看出是什么占了空间，udpcli board{ $serial } rm 可以腾出空间
    .hint-old = 旧文件没有变；udpcli board{ $serial } ls -r 可以看出是什么占了空间，udpcli board{ $serial } rm 可以腾出空间
write-file = 无法写入掌控板上的 { $path }：{ $reason }
    .hint-old = 旧文件没有变
read-file = 无法读取掌控板上的 { $path }：{ $reason }
    .hint = 请再试一次；如果只有这个文件读不出来，就重新传一次；如果很多文件都这样，就是闪存或存储卡老化了
too-long = 掌控板报告 { $path } 有 { $len } 字节；udpcli 最多读取 { $most } 字节
    .hint = 没有哪块掌控板装得下这么多：是文件系统坏了，或者应答的不是掌控板；udpcli board{ $serial } info 会显示它是什么
remove = 无法删除掌控板上的 { $path }：{ $reason }
    .hint-not-empty = udpcli board{ $serial } rm -r 会连同里面的内容一起删除文件夹
copy-into = 无法把掌控板上的 { $from } 复制到 { $to }：文件夹不能放进它自己里面
move = 无法把掌控板上的 { $from } 移动到 { $to }：{ $reason }
    .hint-taken = 加上 -f 会替换那里已有的文件
damaged = { $path } 传输时损坏了 { $times } 次

# 文件系统为什么拒绝。

reason-not-permitted = 没有权限
reason-no-folder = 文件夹不存在
reason-bad-flash = 闪存无法读写
reason-name-taken = 已经有同名的文件或文件夹
reason-file-of-that-name = 已经有同名的文件
reason-not-mounted = 那里没有挂载文件系统
reason-part-is-file = 路径中有一段是文件
reason-bad-name = 文件系统不接受这个名字
reason-is-folder = 它是文件夹
reason-full = 文件系统已满
reason-read-only = 文件系统是只读的
reason-name-too-long = 名字太长
reason-not-a-folder = 它是文件
reason-not-empty = 文件夹不是空的
reason-mount-point = 那里挂载着一个文件系统
reason-no-file-system = 掌控板上没有文件系统
reason-into-itself = 文件夹不能放进它自己里面
reason-files-are-in = 那里没有挂载文件系统；掌控板的文件在 { $mounts } 里
reason-no-memory = 掌控板的空闲内存太少，接收不了；udpcli board reset 可以释放一些
reason-exception = { $text }

# 当时在做什么：后面接“时”。

doing-entering-paste = 请求 raw-paste（原始粘贴）模式
doing-leaving-raw-repl = 离开原始 REPL
doing-pasting-at-prompt = 在提示符下粘贴
doing-soft-reset = 软复位
doing-preparing = 准备掌控板
doing-cleaning-up = 收尾
doing-asking-what-it-is = 询问板子信息
doing-looking-at-interpreter = 查看解释器
doing-sending-program = 发送程序
doing-starting-program = 启动程序
doing-looking-for-file = 查找文件
doing-removing-program-file = 删除程序文件
doing-program-ran = 程序运行
doing-file-ran = { $name } 运行
doing-looking-for-display = 查找显示屏
doing-starting-mirror = 启动 OLED 镜像
doing-ending-mirror = 结束 OLED 镜像
doing-preparing-for-files = 准备文件操作
doing-asking-for-room = 查询剩余空间
doing-comparing-files = 比较文件
doing-looking-for-old-file = 查找旧文件
doing-removing-temporary = 删除临时文件
doing-writing = 写入 { $path }{ " " }
doing-checking = 检查 { $path }{ " " }
doing-reading = 读取 { $path }{ " " }
doing-listing = 列出 { $path }{ " " }
doing-making-folder = 新建文件夹 { $path }{ " " }
doing-removing = 删除 { $path }{ " " }
doing-copying = 复制 { $path }
doing-moving = 移动 { $path }
doing-asking-for-dates = 查询文件的日期
doing-setting-clock = 设置时钟
doing-reading-clock = 读取时钟
doing-other = { $text }

# 串口线路出了什么问题。

line-no-answer = 没有及时应答
line-closed = 线路已关闭
line-no-address = 请写成 socket://HOST:PORT 或 rfc2217://HOST:PORT
line-no-lines-over-tcp = socket:// 传不了控制线的信号，rfc2217:// 才可以
line-no-lines = 它没有控制线
line-no-serial-port = 它不是串口
line-takes-no-commands = 对方不接收命令
line-reads-no-answers = 对方只发请求，不读取应答
unnameable = 它不能作为文件名
name-too-long = 它超过了电脑上文件名的最大长度（{ $longest } 个字符或字节）

# 运行途中的说明。

new-start-memory = { $doing }时进行了软复位：掌控板的内存已满
new-start-printed = { $doing }时进行了软复位：被停止的程序可能有定时器或线程在中间输出了内容
left-behind = { $path } 可能还留在掌控板上：{ $error }
into-a-file = 程序太长，掌控板的内存装不下（空闲 { $free } 字节）：改为存成文件，再从文件运行
thread-prints = 掌控板 { $port } 上有线程不停地输出：进行软复位
no-prompt-resetting = 发送 Ctrl-C 后 { $port } 没有出现提示符：正在通过控制线复位掌控板
no-prompt-press = 发送 Ctrl-C 后 { $port } 没有出现提示符：现在请按掌控板的 RESET 键
boot-takes-time = 掌控板上的 boot.py 运行时间较长：{ $seconds } 秒后会中断它
given-up = 按 Ctrl-C 后，{ $port } 上的掌控板没有及时应答：它的程序可能还在运行，udpcli 的临时文件可能还留在上面；要让它重新启动，请运行 udpcli board reset --hard，或按它的 RESET 键

# 程序的结束说明什么，以及该怎么办。

symptom-silent-end = 掌控板上的 UDP 程序已经结束，而它的 except: 没有写明异常，掩盖了使它结束的错误
    .next = 把 except: 改成 except Exception as e:，并在它下面第一行写 import sys; sys.print_exception(e)，再运行一次：它就会输出错误
symptom-no-arp = 掌控板发往的地址没有设备应答：sendto 的 ENOMEM（12）表示它的 ARP 请求没有得到应答
    .next = 请检查掌控板程序里的地址是不是这台电脑的地址（udpcli listen 会显示），以及双方是否在同一个 Wi-Fi；如果无线路由器隔离了各个设备：udpcli pair --board-ap

# 为什么不能镜像 OLED。

mirror-refused = 镜像程序没有运行：{ $exception }
mirror-no-module = 固件里没有 mpython 模块
mirror-import = 掌控板无法导入 mpython 模块：{ $exception }
mirror-other-size = 掌控板的屏幕不是 128 x 64 像素
mirror-no-oled = 掌控板的 mpython 模块里既没有 oled，也没有 onboard_oled
mirror-hidden = { $why }；掌控板上有 { $count } 个文件与固件的模块重名，导入时用的是这些文件：{ $files }。请改名，或者删除：udpcli board rm { $paths }
