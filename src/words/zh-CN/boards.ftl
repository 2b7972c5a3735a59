# 使用 ESP32-S3 等芯片的板：它们的名称，以及芯片自带的 USB 串口在复位时的变化。
mpython = 掌控板
mpython-3 = 掌控板 3.0
info-3 = { $board }：{ $machine }
firmware-seen-3 = { $board }，MicroPython { $version }，{ $machine }
list-answers = { $board }：MicroPython 有应答
mirror-lcd = 这块板子没有 OLED，用的是彩屏，而程序本身没有导入 lv_oled（from lv_oled import OLED）
lcd-texts-only = 这块板子用的是彩屏（320x172）：udpcli 只显示程序用 lv_oled 画出的文字，颜色、图片和图形读不回来
no-picture = 这块板子用的是彩屏，画面读不回来
    .hint = 去掉 --image：udpcli board oled 会显示程序用 lv_oled 画出的文字
run-no-picture = 没有保存画面到 { $path }：这块板子用的是彩屏，画面读不回来
oled-on-lcd = 用 lv_oled 画在彩屏上：{ $address }，然后是 { $text } | { $sender }
hidden-no-oled = 这块板子没有 OLED，用的是彩屏：它的 mpython 模块里没有 oled，而程序里不带类型的 except: 掩盖了由此产生的 NameError
port-5005 = 掌控板 3.0 的文档里有一处用的是端口 5005：两边的程序必须用同一个端口，这里是 { $port }
no-datagram-6000 = 请检查发送端程序里的地址、本机的防火墙，以及双方是否在同一个网络；运行 udpcli send { $own } hello 可以看出本机这边是否正常；掌控板 3.0 文档里的程序可能发往端口 5005：udpcli listen --port 5005
port-renamed = 复位后，掌控板的串口变成了 { $new }（原来是 { $old }）
nothing-arrived-6000 = 没有收到任何数据报：请检查发送端程序里的地址、本机的防火墙，以及双方是否在同一个网络；运行 udpcli send { $own } hello 可以看出本机这边是否正常；掌控板 3.0 文档里的程序可能发往端口 5005：udpcli listen --port 5005
