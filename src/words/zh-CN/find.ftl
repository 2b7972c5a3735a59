# udpcli find：怎样找到掌控板。

sweep = 为了查到各设备的 MAC 地址，正在向 { $network } 的 { $count } 个地址的 9 号端口（discard）各发送一个数据报，每秒最多 250 个
no-network = 本机没有连接网络，只查找 USB 口
no-table = 系统不提供邻居表，只能通过 mDNS 和 USB 查找掌控板
no-usb = 系统没有列出串口
none = 没有找到掌控板
    .hint = 掌控板开机了吗？和本机在同一个 Wi-Fi 吗？查找久一点：udpcli find --wait 10s；检查本机：udpcli doctor
neighbour-table = 邻居表
mdns = mDNS
usb = USB（{ $chip }）
port-open = 6000 端口开放
port-closed = 6000 端口关闭
port-unknown = 6000 端口未知
