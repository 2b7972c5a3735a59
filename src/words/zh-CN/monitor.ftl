# udpcli board monitor：命令自身的提示，以及板子输出的含义。

watching = 正在监视 { $port }，波特率 { $baud }；按 Ctrl-C 结束
raises-lines = 打开 { $port } 时系统拉起了 DTR 和 RTS，有些板子会因此重启
lost = 串口断开了（{ $reason }），udpcli 会等它重新出现
back = { $port } 重新连上了
means = { $what }
oled = OLED 显示：{ $texts }
lines = { $n } 行
reconnects = 重新连接 { $n } 次
log-device = { $path } 是设备或 FIFO，--log 需要普通文件
    .hint = 要把输出交给别的程序，用管道：udpcli board monitor --timestamps | PROGRAM

# 各行的含义。

power-on = 板子启动：刚通电，或按了 RESET 键（{ $reason }）
software-reset = 板子重新启动：程序或固件要求复位（{ $reason }）
watchdog-reset = 板子重新启动：程序或引导程序卡住了，看门狗使它复位（{ $reason }）
deep-sleep-reset = 板子从深度睡眠中醒来（{ $reason }）
reset = 板子重新启动（{ $reason }）
download-mode = 板子处于下载模式，在等固件；要运行程序，不按其他键，只按一下 RESET
no-firmware = 板子上没有固件，闪存是空的；用 udpcli board flash FILE 刷入固件
firmware-damaged = 板子上的固件已损坏，无法启动；用 udpcli board flash FILE 重新刷入固件
brown-out = 供电电压过低：换一根 USB 线，直接插在电脑上而不是集线器上，并拔掉电机和灯带
panic = 固件崩溃：{ $said }
panic-backtrace = 固件崩溃：{ $said } 回溯地址：{ $addresses }；用 xtensa-esp32-elf-addr2line -pfiaC -e FIRMWARE.elf 可查到代码行
mac = mPython 2.x 启动，板子的 MAC 地址是 { $mac }
no-arp = sendto 报 ENOMEM（12），说明板子要发往的地址没有设备应答：与 udpcli listen 显示的地址对照，并确认两者在同一个 Wi-Fi 中
not-utf8 = UnicodeError：收到的字节不是 UTF-8，多半是 Windows 程序发来的 GBK；改为发送 UTF-8（udpcli send 就是），或不对它调用 decode()
address-in-use = EADDRINUSE：板子上还有套接字占用这个端口，是之前的程序没有 close() 就结束了；复位板子即可：udpcli board reset
wifi-not-found = 板子找不到这个 Wi-Fi：请检查名称（区分大小写）；板子只支持 2.4 GHz
wifi-timeout = 板子没能及时连上 Wi-Fi：检查密码，以及无线路由器是否还能连更多设备
timed-out = ETIMEDOUT：等待超时。如果来自套接字，是 settimeout() 时间内没有收到数据；如果来自 I2C，检查传感器或显示屏的接线
memory-error = 板子的内存用完了：缩短程序或列表，在申请大块内存前调用 gc.collect()
