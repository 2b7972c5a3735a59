# --watch：每次保存后重新运行程序，或重新上传文件。

no-file = --watch 需要一个可以保存的文件，{ $path } 不行
    .hint = 把程序存成文件：udpcli board run main.py --watch
first = 正在运行 { $path }，每次保存后会重新运行；按 Ctrl-C 结束
again = { $path } 已保存，重新运行
done = { $path } 已结束；保存它就会再次运行
next-save = 保存 { $path } 就会再次运行
unreadable = 无法读取 { $path }（{ $error }）；udpcli 会等它出现
put = :{ $path }，{ $len } 字节
lost = { $error }；udpcli 会等它重新出现
back = { $port } 重新连上了
not-entered = { $error }；udpcli 会再试
ended = 监视结束
restarted = { $error }；保存 { $path } 就会再次运行
