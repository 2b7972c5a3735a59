# 引导菜单，以及单独运行 udpcli 时的简短帮助。每个数字后面是一行。

choices = udpcli { $version }：在这台电脑和掌控板之间收发 UDP 消息
    {""}
    {"  "}1  接收掌控板发来的消息    udpcli listen
    {"  "}2  发送消息给掌控板        udpcli send ADDRESS:6000
    {"  "}3  检查电脑和掌控板        udpcli doctor，然后 udpcli pair
    {"  "}4  演示，不需要掌控板      udpcli demo
    {"  "}5  帮助                    udpcli --help
    {""}
    按 Ctrl-C 结束正在运行的命令。直接按回车键退出 udpcli。
choose = 请输入数字，然后按回车键：{""}
wrong = 请输入 1、2、3、4 或 5，或者直接按回车键退出。
again =
    {""}
    1 接收，2 发送，3 检查，4 演示，5 帮助，直接按回车键退出。
address = 掌控板的地址，见它的屏幕（例如 192.168.0.3）：{""}
wrong-address = 地址的写法是 192.168.0.3 或 192.168.0.3:6000。
message = 消息（直接按回车键：教程的消息，每 2 秒一条，直到 Ctrl-C）：{""}
close = 按回车键关闭窗口。{""}

short-help = udpcli 在这台电脑和掌控板（ESP32）之间收发 UDP 消息。
    {""}
    {"  "}udpcli listen                       显示掌控板发到本机 6000 端口的消息
    {"  "}udpcli send 192.168.0.3:6000 hello  给掌控板发一条消息
    {"  "}udpcli pair                         测试电脑和掌控板，并查明消息为什么没有到达
    {"  "}udpcli doctor                       检查本机的防火墙、端口和数据线
    {"  "}udpcli demo                         观看收发双方的演示，不需要掌控板
    {""}
    全部命令：udpcli --help。单个命令：udpcli listen --help。
    {""}
