# Installs udpcli @VERSION@ for the user who runs it; no administrator needed. One file is written, the program.
#
#   powershell -ExecutionPolicy Bypass -File install.ps1 [-Dir FOLDER] [-From PLACE]
#
#   -Dir FOLDER    where the program goes; default: %LOCALAPPDATA%\Programs\udpcli
#   -From PLACE    a mirror's URL, or a folder (a USB stick) that holds the archive;
#                  default: @DOWNLOAD@
#
# UDPCLI_DIR and UDPCLI_FROM do the same. The archive must have the SHA-256 that stands below, wherever it comes from.
param(
    [string] $Dir = $env:UDPCLI_DIR,
    [string] $From = $env:UDPCLI_FROM
)

& {
    param([string] $Dir, [string] $From)
    Set-StrictMode -Version 2
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue'   # Windows PowerShell 5 downloads ten times slower with its progress bar

    $version = '@VERSION@'
    $target = '@TARGET@'
    $sum = '@SUM@'

    # English, or Chinese where Windows speaks it. {0} and {1} stand for the values.
    function Text([string] $English, [string] $Chinese, [object[]] $Values) {
        $language = $env:UDPCLI_LANG
        if (-not $language -or $language -eq 'auto') { $language = (Get-UICulture).Name }
        $text = $English
        if ($language -like 'zh*') { $text = [regex]::Unescape($Chinese) }
        return ($text -f $Values)
    }

    # A 32-bit PowerShell tells the machine's processor in the second variable.
    $machine = $env:PROCESSOR_ARCHITEW6432
    if (-not $machine) { $machine = $env:PROCESSOR_ARCHITECTURE }
    $build = [Environment]::OSVersion.Version.Build
    # Windows 11 on ARM runs x86-64 programs, Windows 10 on ARM does not.
    if ($env:OS -ne 'Windows_NT' -or -not ($machine -eq 'AMD64' -or ($machine -eq 'ARM64' -and $build -ge 22000))) {
        throw (Text 'udpcli: there is no archive for {0} on {1}; @DOCUMENTATION@ says how to build it' `
            'udpcli：没有适用于 {1} 上的 {0} 的压缩包；@DOCUMENTATION@ 说明了怎样自己编译' @($env:OS, $machine))
    }

    if (-not $From) { $From = '@DOWNLOAD@' }
    if (-not $Dir) { $Dir = Join-Path $env:LOCALAPPDATA 'Programs\udpcli' }
    $Dir = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Dir)
    $exe = Join-Path $Dir 'udpcli.exe'

    # What is there already may only be an earlier udpcli.
    if (Test-Path -LiteralPath $exe) {
        $ours = $false
        if (Test-Path -LiteralPath $exe -PathType Leaf) {
            $bytes = [IO.File]::ReadAllBytes($exe)
            $ours = [Text.Encoding]::GetEncoding(28591).GetString($bytes).Contains('UDPCLI_LOG')
        }
        if (-not $ours) {
            throw (Text 'udpcli: {0} is not udpcli; it stays as it is. Move it away, or name another folder with -Dir' `
                'udpcli：{0} 不是 udpcli，保持原样。移走它，或用 -Dir 指定另一个文件夹' @($exe))
        }
    }

    $archive = "udpcli-$version-$target.zip"
    $work = Join-Path ([IO.Path]::GetTempPath()) ('udpcli-' + [Guid]::NewGuid().ToString('N'))
    $null = New-Item -ItemType Directory -Path $work
    try {
        $file = Join-Path $work $archive
        $place = $From.TrimEnd('/', '\') + '/' + $archive
        try {
            if ($From -match '^https?://') {
                # Windows 10 before 1809 does not ask for TLS 1.2 by itself.
                [Net.ServicePointManager]::SecurityProtocol =
                    [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
                Invoke-WebRequest -UseBasicParsing -Uri $place -OutFile $file
            } else {
                Copy-Item -LiteralPath $place -Destination $file
            }
        } catch {
            throw (Text 'udpcli: cannot get {0}: {1} Check the network, or name another place with -From' `
                'udpcli：无法取得 {0}：{1} 检查网络，或用 -From 指定别的来源' @($place, $_.Exception.Message))
        }
        $got = (Get-FileHash -LiteralPath $file -Algorithm SHA256 -ErrorAction Stop).Hash.ToLowerInvariant()
        if ($got -ne $sum) {
            throw (Text 'udpcli: {0} has another SHA-256 than version {1}: {2}, not {3}. Download once more; if it stays so, do not use this file' `
                'udpcli：{0} 的 SHA-256 与 {1} 版不符：得到 {2}，应为 {3}。重新下载一次；如果还是这样，不要使用这个文件' @($place, $version, $got, $sum))
        }
        Expand-Archive -LiteralPath $file -DestinationPath $work -ErrorAction Stop
        $null = New-Item -ItemType Directory -Force -Path $Dir
        try {
            Copy-Item -Force -LiteralPath (Join-Path $work "udpcli-$version-$target\udpcli.exe") -Destination $exe
        } catch {
            throw (Text 'udpcli: cannot write {0}: {1} If udpcli is running, end it' `
                'udpcli：无法写入 {0}：{1} 如果 udpcli 正在运行，请先结束它' @($exe, $_.Exception.Message))
        }
    } finally {
        Remove-Item -Recurse -Force -LiteralPath $work
    }

    # Some schools allow only programs of a list.
    try {
        $null = & $exe --version
    } catch {
        throw (Text 'udpcli: {0} is there, but Windows does not start it: {1}' `
            'udpcli：{0} 已装好，但 Windows 不让它启动：{1}' @($exe, $_.Exception.Message))
    }
    Write-Host (Text 'installed udpcli {0}: {1}' '已安装 udpcli {0}：{1}' @($version, $exe))
    if (($env:Path -split ';') -contains $Dir) {
        Write-Host (Text 'try it: udpcli demo' '试一试：udpcli demo' @())
    } else {
        Write-Host (Text 'try it: & ''{0}'' demo' '试一试：& ''{0}'' demo' @($exe))
        Write-Host (Text 'to type only udpcli, put the folder on your PATH, then open a new window:' `
            '想只输入 udpcli 就能运行，把这个文件夹加入 PATH，再打开新的窗口：' @())
        Write-Host ("  [Environment]::SetEnvironmentVariable('Path', " +
            "[Environment]::GetEnvironmentVariable('Path', 'User') + ';$Dir', 'User')")
    }
    Write-Host (Text 'remove it: Remove-Item -LiteralPath ''{0}''' '卸载：Remove-Item -LiteralPath ''{0}''' @($exe))
} $Dir $From
