# `udpcli listen --report` 的网页发现了什么，怎样解决。

nothing = 没有一个数据报到达这台电脑。
nothing-next = 检查发送程序里的地址和端口，以及两台设备是否在同一个网络里。在这台电脑上运行 udpcli doctor，看防火墙是否丢弃了这个端口的数据报。如果都没有问题，可能是接入点把客户端互相隔离了（客户端隔离、访客网络）：udpcli pair 能分清是防火墙还是接入点的隔离。
only-others = 到达了 { $n } 个数据报，但都不是 --from 允许的地址发来的。
only-others-next = 把发送端的地址和 --from 后面的地址比较一下；不加 --from 运行 udpcli listen，就能看到数据报从哪里来。
dropped-here = 数据报到了这台电脑，但接收缓冲区已满，被丢弃了。
dropped-here-next = 这些丢失与网络无关。降低发送速率，加大缓冲区（--recv-buffer 8MiB），或者让监听少做些事：--format raw > /dev/null。
dropped-here-detail = 丢失的 { $lost } 个数据报里，有 { $n } 个是这台电脑的内核丢弃的。
loss = 路上丢失了 { $percent } %。
loss-of-sender = 路上丢失了 { $percent } %，几乎都是 { $name } 的：{ $all } 个里的 { $n } 个。
loss-scattered = 自始至终都有零星的数据报丢失。
loss-scattered-next = Wi-Fi 信道拥挤、信号弱或者接入点过载时就是这样。换一个信道，减少设备，或者离接入点近一些；再用网线比较一下。
scattered = 每次只丢一个或几个，最多一连 { $longest } 个。
loss-in-bursts = 数据报成串丢失，其余时间全部到达。
loss-in-bursts-next = 设备切换接入点、进入省电状态或者受到其他无线设备干扰时就是这样；发送得比网络能传的还快时也会这样。降低速率或减小每次突发的个数，关闭省电，并且靠近同一个接入点。
bursts = 共有 { $n } 次，最多一连 { $longest } 个，最长中断 { $outage }。
loss-for-a-time = 丢失几乎都集中在一段时间里。
loss-for-a-time-next = 找出那段时间有什么不同：设备在哪里，还有哪些设备在发送，接入点是否重启过。如果设备移动过，就是那个地方信号太弱：把设备或接入点移近一些。
stretch = 发现丢失的时间在开始后 { $from } 到 { $to } 之间，最长中断 { $outage }。
