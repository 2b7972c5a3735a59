//! Verifies the emulator with Espressif's own tool: the result of `esptool`'s writing, reading, verifying and erasing
//! is the same as on a real board.

use crate::emulator::{Config, Emulator};
use crate::esptool::run_esptool;
use crate::images::font_like;

#[test]
fn esptool_writes_verifies_reads_and_erases() {
    let image = font_like(300_000, 7);
    let emulator = Emulator::start(Config {
        // Old content must be erased first, and its neighbours stay.
        flash: vec![0x5a; 8 << 20],
        flash_time: 0.2,
        line_time: 0.25,
        ..Config::default()
    });
    let folder = emulator.folder();
    let (file, copy) = (folder.join("image.bin"), folder.join("copy.bin"));
    std::fs::write(&file, &image).unwrap();
    let (file, copy) = (file.to_str().unwrap(), copy.to_str().unwrap());

    let log = run_esptool(&emulator, 921_600, &["write-flash", "0x410000", file]);
    for words in [
        "ESP32-D0WD",
        "v3.1",
        "24:0a:c4:12:34:56",
        "Hash of data verified",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    let flash = emulator.flash();
    assert!(flash[0x41_0000..].starts_with(&image));
    let end = (0x41_0000 + image.len()).next_multiple_of(0x1000);
    assert!(flash[..0x41_0000].iter().all(|&byte| byte == 0x5a));
    assert!(flash[end..].iter().all(|&byte| byte == 0x5a));
    assert_eq!(emulator.wear().spoilt, 0);

    run_esptool(&emulator, 460_800, &["verify-flash", "0x410000", file]);
    let size = image.len().to_string();
    run_esptool(&emulator, 921_600, &["read-flash", "0x410000", &size, copy]);
    assert_eq!(std::fs::read(copy).unwrap(), image);

    run_esptool(&emulator, 115_200, &["erase-region", "0x410000", "0x2000"]);
    let flash = emulator.flash();
    assert!(flash[0x41_0000..0x41_2000].iter().all(|&byte| byte == 0xff));
    assert_eq!(flash[0x41_2000..0x41_2010], image[0x2000..0x2010]);
    let plain = ["write-flash", "--no-compress", "0x410000", file];
    run_esptool(&emulator, 921_600, &plain);
    assert!(emulator.flash()[0x41_0000..].starts_with(&image));
    run_esptool(&emulator, 115_200, &["erase-flash"]);
    assert!(emulator.flash().iter().all(|&byte| byte == 0xff));
    assert!(run_esptool(&emulator, 115_200, &["flash-id"]).contains("8MB"));
}

#[test]
fn esptool_works_without_the_stub() {
    let image = font_like(40_000, 11);
    let emulator = Emulator::start(Config {
        flash_time: 0.2,
        ..Config::default()
    });
    let file = emulator.folder().join("image.bin");
    std::fs::write(&file, &image).unwrap();
    let file = file.to_str().unwrap();
    run_esptool(
        &emulator,
        460_800,
        &["--no-stub", "write-flash", "--no-compress", "0x10000", file],
    );
    assert!(emulator.flash()[0x1_0000..].starts_with(&image));
}
