# udpcli board put：略过的文件，以及要删除的文件。

nobody-to-ask = put --delete 删除之前要先询问，但这里没有终端，无法询问
    .hint = --dry-run 会列出要删除的文件，--yes 不询问直接删除
delete-of-files = put --delete 删除的是本机文件夹里没有的文件，而这里只指定了文件
    .hint = 要让整个文件夹两边一致：udpcli board put . : --delete
bad-exclude = { $path } 第 { $line } 行：exclude：{ $pattern } 不是正确的模式：{ $error }
would-put = 将传送 :{ $path }，{ $len } 字节
would-remove = 将删除 :{ $path }
dry-run = 没有做任何改动；要传送 { $written } 个，{ $unchanged } 个未变，要删除 { $removed } 个
dry-run-left-out = 没有做任何改动；要传送 { $written } 个，{ $unchanged } 个未变，要删除 { $removed } 个；略过：{ $names }
not-here = 掌控板上有、而电脑上没有的共 { $count } 个：
question = 要从掌控板上删除吗？[y/N]{" "}
watch-needs-yes = put --watch --delete 不会在每次保存时询问
    .hint = --yes 不询问直接删除；请先用 --dry-run 看一看
watching = 每次保存文件，udpcli 就重新传送；按 Ctrl-C 结束
next-save = 下次保存时，udpcli 会重新传送
watch-ended = 监视结束；共传送 { $written } 个文件，删除 { $removed } 个
declined = 没有传送，也没有删除任何文件
