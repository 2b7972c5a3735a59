# --line-rate：传送时使用更快的串口波特率。

bad = { $text } 不是可用的波特率：写 auto、keep，或 9600 到 5000000 之间的数字
doing = 切换串口波特率
