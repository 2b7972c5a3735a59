//! What to type in place of a command of mpremote's.

use crate::words::catalogue::say;

/// For a command of mpremote's that udpcli calls by another name, or lacks.
pub(super) fn hint(words: &[String]) -> Option<String> {
    let mut words = words.iter().skip_while(|word| *word != "board").skip(1);
    let command = words.find(|word| !word.starts_with('-'))?;
    let port = |prefix: char, path: &str| {
        let number = command.strip_prefix(prefix)?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| format!("{path}{number}"))
    };
    let ports = [('u', "/dev/ttyUSB"), ('a', "/dev/ttyACM"), ('c', "COM")];
    if let Some(port) = ports.iter().find_map(|(prefix, path)| port(*prefix, path)) {
        let line = format!("udpcli board -s {port}");
        return Some(say!("usage.write", line = line));
    }
    Some(match command.as_str() {
        "setrtc" => say!("usage.write", line = "udpcli board rtc --set"),
        "version" => say!("usage.write", line = "udpcli --version"),
        "disconnect" | "umount" | "unmount" => say!("mpremote.no-disconnect"),
        "bootloader" => say!("mpremote.no-bootloader"),
        "mount" => say!("mpremote.no-mount"),
        "mip" => say!("mpremote.no-mip"),
        "romfs" => say!("mpremote.no-romfs"),
        _ => return None,
    })
}
