# Runs install.ps1 of a folder that tests/release/packages filled, on Windows: check.ps1 -Folder dist
param([Parameter(Mandatory)] [string] $Folder)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$env:UDPCLI_LANG = 'en'
$folder = (Resolve-Path $Folder).Path
$installer = Join-Path $folder 'install.ps1'
$work = Join-Path ([IO.Path]::GetTempPath()) ('udpcli-check-' + [Guid]::NewGuid().ToString('N'))
$null = New-Item -ItemType Directory -Path $work

function Assert-Refused([string] $Word, [string] $Dir, [string] $From) {
    try {
        & $installer -Dir $Dir -From $From
    } catch {
        if ("$_" -notlike "*$Word*") { throw "no '$Word' in: $_" }
        return
    }
    throw "not refused: $Word"
}

try {
    # It installs, over an earlier one, too, and the program runs.
    $good = Join-Path $work 'my programs'
    foreach ($time in 1, 2) { & $installer -Dir $good -From $folder }
    & (Join-Path $good 'udpcli.exe') demo
    if ($LASTEXITCODE -ne 0) { throw 'udpcli demo fails' }
    if (@(Get-ChildItem -LiteralPath $good).Count -ne 1) { throw 'more than the program was written' }

    # The line for "irm URL | iex".
    $env:UDPCLI_DIR = Join-Path $work 'piped'
    $env:UDPCLI_FROM = $folder
    Get-Content -Raw -LiteralPath $installer | Invoke-Expression
    foreach ($name in "UDPCLI_DIR", "UDPCLI_FROM") { Remove-Item -LiteralPath "Env:$name" }
    if (-not (Test-Path -LiteralPath (Join-Path $work 'piped\udpcli.exe'))) { throw 'the piped script installs nothing' }

    # It refuses.
    Assert-Refused 'cannot get' (Join-Path $work 'a') (Join-Path $work 'nowhere')
    $changed = Join-Path $work 'changed'
    $null = New-Item -ItemType Directory -Path $changed
    $zip = (Get-ChildItem -LiteralPath $folder -Filter '*windows*.zip').Name
    Set-Content -LiteralPath (Join-Path $changed $zip) -Value 'another'
    Assert-Refused 'SHA-256' (Join-Path $work 'b') $changed
    if (Test-Path -LiteralPath (Join-Path $work 'b')) { throw 'a refused install leaves something' }
    $foreign = Join-Path $work 'c'
    $null = New-Item -ItemType Directory -Path $foreign
    Set-Content -LiteralPath (Join-Path $foreign 'udpcli.exe') -Value 'something else'
    Assert-Refused 'is not udpcli' $foreign $folder
    Write-Host '1 passed, 0 failed'
} finally {
    Remove-Item -Recurse -Force -LiteralPath $work
}
