//! Tests of `release.rs`.

use espflash::target::Chip;

use super::*;

const RULES: ReadOptions = ReadOptions {
    chip: Chip::Esp32,
    force: false,
};

#[test]
fn esptool_arguments_are_read_after_any_options() {
    let text = "--flash_mode dio --flash_size 4MB\n0x1000 boot\\b.bin\n0X10000 \"app.bin\"\n";
    let files = from_arguments("x.zip", text).unwrap();
    assert_eq!(
        files,
        [
            (0x1000, "boot/b.bin".to_owned()),
            (0x1_0000, "app.bin".to_owned())
        ]
    );
    assert!(from_arguments("x.zip", "0x1000").is_err());
    assert!(from_arguments("x.zip", "none").is_err());
}

#[test]
fn a_manifest_gives_the_files_of_the_chip() {
    let text = br#"{"name": "x", "builds": [
            {"chipFamily": "ESP32-S3", "parts": [{"path": "s3.bin", "offset": 0}]},
            {"chipFamily": "ESP32", "parts": [{"path": "a.bin", "offset": 4096}, {"path": "sub\\b.bin", "offset": 65536}]}
        ]}"#;
    let files = from_manifest("x.zip", text, RULES).unwrap().unwrap();
    assert_eq!(
        files,
        [
            (0x1000, "a.bin".to_owned()),
            (0x1_0000, "sub/b.bin".to_owned())
        ]
    );
    assert_eq!(
        from_manifest("x.zip", br#"{"icons": []}"#, RULES).unwrap(),
        None
    );
    assert_eq!(from_manifest("x.zip", b"no JSON", RULES).unwrap(), None);
    for wrong in [
        r#"{"builds": []}"#,
        r#"{"builds": [{"chipFamily": "ESP32-C3", "parts": []}]}"#,
        r#"{"builds": [{"chipFamily": "ESP32"}]}"#,
        r#"{"builds": [{"chipFamily": "ESP32", "parts": []}]}"#,
        r#"{"builds": [{"chipFamily": "ESP32", "parts": [{"path": "a.bin"}]}]}"#,
        r#"{"builds": [{"chipFamily": "ESP32", "parts": [{"path": "https://x/a.bin", "offset": 0}]}]}"#,
    ] {
        assert!(
            from_manifest("x.zip", wrong.as_bytes(), RULES).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn paths_are_joined() {
    assert_eq!(joined("a/b/", "../c.bin"), "a/c.bin");
    assert_eq!(joined("", "./c.bin"), "c.bin");
    assert_eq!(joined("a/", "/../../c.bin"), "c.bin");
}
