# mpremote 用户熟悉的操作：板上的文件、编辑器、带记录的提示符。

touched = { $path } 已存在
no-such-id = 这台电脑上没有序列号为 { $id } 的 USB 设备
    .hint = udpcli board list 会列出现有的串口
not-edited = { $path } 没有改动
edit-kept = 掌控板上的 { $path } 没有改变；你的文字保存在 { $file }
editor-hint = 用环境变量 VISUAL 或 EDITOR 指定编辑器，例如 EDITOR=nano
not-injected = 无法读取 { $path }：{ $error }
capture-device = { $path } 是管道或设备，--capture 需要一个文件
capture-failed = 无法写入 { $path }：{ $error }。会话继续，但不再记录
only-last = { $name } 只能作为最后一步
no-disconnect = udpcli 每条命令结束后都会关闭串口，不需要这一步
no-bootloader = udpcli board flash 会自己让掌控板进入下载模式
no-mount = udpcli 不能挂载文件夹：udpcli board put . : --watch 会让板上的文件与这里保持一致
no-mip = udpcli 不安装软件包：先把软件包的文件下载到电脑，再执行 udpcli board put lib :
no-romfs = udpcli 不写入 ROM 文件系统，这要用 mpremote
plus = 命令之间要用 + 隔开：{ $line }
serial-is-path = -s 用来指定串口。要在树中显示大小，请用 udpcli board tree --size
editor-ended = 它以 { $status } 结束，没有写入任何内容
