# 用户给掌控板上的程序输入的内容。

taken = 程序要读取键盘输入，但标准输入已另作他用：input() 会抛出 EOFError。请把程序保存成文件再运行：udpcli board run main.py
not-ascii = 掌控板上的 input() 只接受 ASCII 字符；udpcli 已略去其他字符
ended = 标准输入已结束；如果程序还在等待输入，按 Ctrl-C 即可结束
