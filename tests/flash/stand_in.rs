//! The emulated board as a stand-in for programs other than these tests: `tests/release/contract` flashes it.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use crate::emulator::{Config, Emulator};
use crate::images::{Release, TABLE, font_like, image, table, xbf};

#[test]
#[ignore = "not a test: tests/release/contract runs it"]
fn serve() {
    let folder =
        PathBuf::from(std::env::var_os("UDPCLI_STAND_IN").expect("a folder for the firmware"));
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    let release = Release::new(20_000, 30, 7);
    write("mpython.bin", &release.merged());
    let mut firmware = Vec::new();
    for (offset, bytes) in &release.parts()[..3] {
        firmware.resize(offset - 0x1000, 0xff);
        firmware.extend(*bytes);
    }
    write("firmware.bin", &firmware);
    write("app.bin", &image(0, 0x400d_0020, &font_like(30_000, 8)));
    write("font.xbf", &xbf(300, 9));
    let mut flash = vec![0x5a; 8 << 20];
    flash[0x8000..0x8c00].copy_from_slice(&table(&TABLE));
    let board = Emulator::start(Config {
        flash,
        flash_time: 0.1,
        ..Config::default()
    });
    // After the harness's `test stand_in::serve ...`.
    println!("\nport {}", board.port().display());
    // The caller closes stdin when it is done.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
