//! Tests of configuration files.

use super::*;

#[test]
fn the_users_file_is_where_the_system_keeps_settings() {
    let with = |set: &'static [(&str, &str)]| {
        user_path(move |name| {
            let found = set.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        })
    };
    assert_eq!(with(&[]), None);
    if cfg!(windows) {
        let path = with(&[("APPDATA", r"C:\Users\li\AppData\Roaming")]);
        let wanted = Path::new(r"C:\Users\li\AppData\Roaming\udpcli\config.toml");
        assert_eq!(path.as_deref(), Some(wanted));
    } else if cfg!(target_os = "macos") {
        let path = with(&[("HOME", "/Users/li")]).unwrap();
        let wanted = "/Users/li/Library/Application Support/udpcli/config.toml";
        assert_eq!(path, Path::new(wanted));
    } else {
        let wanted = Some(PathBuf::from("/home/li/.config/udpcli/config.toml"));
        assert_eq!(with(&[("HOME", "/home/li")]), wanted);
        let relative = with(&[("HOME", "/home/li"), ("XDG_CONFIG_HOME", "here")]);
        assert_eq!(relative, wanted);
        let named = with(&[("HOME", "/home/li"), ("XDG_CONFIG_HOME", "/etc/li")]);
        assert_eq!(named, Some(PathBuf::from("/etc/li/udpcli/config.toml")));
    }
}
