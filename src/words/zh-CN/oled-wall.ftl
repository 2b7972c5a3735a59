# udpcli board oled 用于多块掌控板：屏幕墙。

the-terminal = 终端
keys = q 结束  v 画面或文字
keys-pages = q 结束  v 画面或文字  PgUp PgDn 翻页
keys-errors = q 结束  v 画面或文字  e 错误
keys-pages-errors = q 结束  v 切换  PgUp PgDn 翻页  e 错误
keys-of-errors = e 返回画面  PgUp PgDn 翻页
error = ✗ { $who }：{ $error }
boards = 掌控板 { $first }-{ $last }，共 { $count } 块，失败 { $failed } 块
ending = 正在停止各块掌控板上的程序，并让它们回到提示符……
ended = 已结束
off = 关闭
inverted = 反色
incomplete = 不完整
image-folder = { $path } 只能存一张图片，而这里有多块掌控板
    .hint = 用于多块掌控板时，--image 后面是文件夹：--image screens
saved = 已存为 { $path }
stopped = 已停止 { $main }，掌控板回到了提示符
picture-of = { $who } 的画面
