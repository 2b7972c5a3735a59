# --line-rate：传送时使用更快的串口波特率。

bad = { $text } 不是可用的波特率：写 auto、keep，或 38400 到 5000000 之间的数字
doing = 切换串口波特率
restarted = { $doing }时板子重新启动了：udpcli 从头再做一次
