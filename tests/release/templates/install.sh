#!/bin/sh
# Installs udpcli @VERSION@ for the user who runs it; no root needed. One file is written, the program.
#
#   sh install.sh [--dir FOLDER] [--from PLACE]
#
#   --dir FOLDER   where the program goes; default: ~/.local/bin
#   --from PLACE   a mirror's URL, or a folder (a USB stick) that holds the archives;
#                  default: @DOWNLOAD@
#
# UDPCLI_DIR and UDPCLI_FROM do the same. The archive must have the SHA-256 that stands below, wherever it comes from.
set -eu

# Called in the last line, so that half a download does nothing.
main() {
  version=@VERSION@
  from=${UDPCLI_FROM:-@DOWNLOAD@}
  dir=${UDPCLI_DIR:-}
  while [ $# -gt 0 ]; do
    case $1 in
      --dir | --from)
        if [ $# -lt 2 ] || [ -z "$2" ]; then usage "$1"; fi
        if [ "$1" = --dir ]; then dir=$2; else from=$2; fi
        shift 2
        ;;
      -h | --help)
        say "sh install.sh [--dir FOLDER] [--from URL-OR-FOLDER]: install udpcli $version, by default into ~/.local/bin" \
          "sh install.sh [--dir 文件夹] [--from 网址或文件夹]：安装 udpcli $version，默认装到 ~/.local/bin"
        exit 0
        ;;
      *) usage "$1" ;;
    esac
  done
  if [ -z "$dir" ]; then
    [ -n "${HOME:-}" ] || fail "HOME is not set" "环境变量 HOME 没有设置" \
      "name the folder with --dir" "用 --dir 指定文件夹"
    dir=$HOME/.local/bin
  fi
  case $dir in
    /*) ;;
    *) dir=$(pwd)/$dir ;;
  esac
  from=${from%/}

  platform
  archive=udpcli-$version-$target.tar.gz
  check_place "$dir/udpcli"

  work=$(mktemp -d)
  new=
  trap 'rm -rf "$work" ${new:+"$new"}' EXIT
  trap 'exit 130' HUP INT TERM
  fetch "$from/$archive" "$work/$archive"
  got=$(sha256 "$work/$archive")
  got=${got%% *}
  [ "$got" = "$sum" ] || fail \
    "$from/$archive has another SHA-256 than version $version: $got, not $sum" \
    "$from/$archive 的 SHA-256 与 $version 版不符：得到 $got，应为 $sum" \
    "download once more; if it stays so, do not use this file" "重新下载一次；如果还是这样，不要使用这个文件"
  tar -xzf "$work/$archive" -C "$work" "udpcli-$version-$target/udpcli" || fail \
    "cannot unpack $archive" "无法解压 $archive" "is the disk full?" "磁盘是不是满了？"

  if ! { mkdir -p "$dir" && new=$(mktemp "$dir/.udpcli.XXXXXX") \
    && cp "$work/udpcli-$version-$target/udpcli" "$new" && chmod 755 "$new"; }; then
    fail "cannot write into $dir" "无法写入 $dir" "name another folder with --dir" "用 --dir 指定另一个文件夹"
  fi
  "$new" --version >/dev/null || fail "the program does not start on this system" "程序在这个系统上无法启动" \
    "@DOCUMENTATION@ says how to build it" "@DOCUMENTATION@ 说明了怎样自己编译"
  mv -f "$new" "$dir/udpcli"
  new=

  say "installed udpcli $version: $dir/udpcli" "已安装 udpcli $version：$dir/udpcli"
  on_path
  say "remove it: rm '$dir/udpcli'" "卸载：rm '$dir/udpcli'"
}

# English, or Chinese where the system speaks it.
say() {
  language=${UDPCLI_LANG:-auto}
  if [ "$language" = auto ]; then language=${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}; fi
  case $language in
    zh*) printf '%s\n' "$2" ;;
    *) printf '%s\n' "$1" ;;
  esac
}

# Error and hint, each in both languages.
fail() {
  say "error: $1" "error: $2" >&2
  say "hint: $3" "hint: $4" >&2
  exit 1
}

usage() {
  say "error: unknown or incomplete option: $1" "error: 不认识的选项，或缺少它的值：$1" >&2
  say "hint: sh install.sh --help" "hint: sh install.sh --help" >&2
  exit 2
}

# -> target, sum
platform() {
  system=$(uname -s) machine=$(uname -m)
  # An x86-64 shell on Apple's own processors.
  if [ "$system $machine" = 'Darwin x86_64' ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || :)" = 1 ]; then
    machine=arm64
  fi
  case "$system $machine" in
@PLATFORMS@
    *) fail "there is no archive for $system on $machine" "没有适用于 $machine 上的 $system 的压缩包" \
      "@DOCUMENTATION@ says how to build udpcli; on Windows use install.ps1" \
      "@DOCUMENTATION@ 说明了怎样自己编译 udpcli；Windows 请用 install.ps1" ;;
  esac
}

# What is there already may only be an earlier udpcli.
check_place() {
  if [ -L "$1" ]; then
    fail "$1 is a link that this script did not make" "$1 是一个链接，不是本脚本建立的" \
      "remove it, or name another folder with --dir" "删除它，或用 --dir 指定另一个文件夹"
  fi
  [ -e "$1" ] || return 0
  if [ ! -f "$1" ] || [ "$(head -c 2 "$1")" = '#!' ] || ! grep -q UDPCLI_LOG "$1"; then
    fail "$1 is not udpcli; it stays as it is" "$1 不是 udpcli，保持原样" \
      "move it away, or name another folder with --dir" "移走它，或用 --dir 指定另一个文件夹"
  fi
}

# URL or file, to a file.
fetch() {
  case $1 in
    http://* | https://*)
      if command -v curl >/dev/null; then
        curl -fsSL --proto '=http,https' -o "$2" "$1" && return
      elif command -v wget >/dev/null; then
        wget -q -O "$2" "$1" && return
      else
        fail "neither curl nor wget is here to download with" "没有 curl 或 wget，无法下载" \
          "install one of them, or download the archive another way and name its folder with --from" \
          "安装其中一个；或用别的方法下载压缩包，再用 --from 指定它所在的文件夹"
      fi
      ;;
    *) [ -r "$1" ] && cp "$1" "$2" && return ;;
  esac
  fail "cannot get $1" "无法取得 $1" "check the network, or name another place with --from" \
    "检查网络，或用 --from 指定别的来源"
}

# The checksum is the first word.
sha256() {
  if command -v sha256sum >/dev/null; then
    sha256sum "$1"
  elif command -v shasum >/dev/null; then
    shasum -a 256 "$1"
  elif command -v openssl >/dev/null; then
    openssl dgst -sha256 -r "$1"
  else
    fail "nothing here computes a SHA-256" "没有计算 SHA-256 的程序" \
      "install sha256sum (coreutils) or openssl" "安装 sha256sum（coreutils）或 openssl"
  fi
}

# Whether typing udpcli will start it, and what to do if not.
on_path() {
  case :$PATH: in
    *":$dir:"*)
      found=$(command -v udpcli || :)
      if [ "$found" = "$dir/udpcli" ]; then
        say "try it: udpcli demo" "试一试：udpcli demo"
      else
        say "another udpcli comes first in PATH: $found" "PATH 中排在前面的是另一个 udpcli：$found"
      fi
      return
      ;;
  esac
  say "try it: '$dir/udpcli' demo" "试一试：'$dir/udpcli' demo"
  say "to type only udpcli, put the folder on your PATH, then open a new terminal:" \
    "想只输入 udpcli 就能运行，把这个文件夹加入 PATH，再打开新的终端："
  case ${SHELL:-} in
    */fish) printf "  fish_add_path '%s'\n" "$dir" ;;
    */zsh) printf "  echo 'export PATH=\"%s:\$PATH\"' >>~/.zshrc\n" "$dir" ;;
    */bash) printf "  echo 'export PATH=\"%s:\$PATH\"' >>~/.bashrc\n" "$dir" ;;
    *) printf "  echo 'export PATH=\"%s:\$PATH\"' >>~/.profile\n" "$dir" ;;
  esac
}

main "$@"
