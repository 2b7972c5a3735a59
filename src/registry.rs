//! Reads the Windows registry. Missing values, and values that this user is not allowed to read, are `None`.

use winreg::RegKey;
use winreg::enums::{HKEY_LOCAL_MACHINE, KEY_READ};
use winreg::types::FromRegValue as _;

/// A key below `HKEY_LOCAL_MACHINE`.
#[derive(Debug)]
pub(crate) struct RegistryKey(RegKey);

impl RegistryKey {
    /// Opens a key by its path.
    #[must_use]
    pub(crate) fn open(path: &str) -> Option<Self> {
        let machine = RegKey::predef(HKEY_LOCAL_MACHINE);
        let key = machine.open_subkey_with_flags(path, KEY_READ);
        key.ok().map(Self)
    }

    /// Opens a subkey.
    #[must_use]
    pub(crate) fn child(&self, name: &str) -> Option<Self> {
        let key = self.0.open_subkey_with_flags(name, KEY_READ);
        key.ok().map(Self)
    }

    /// The subkeys' names.
    #[must_use]
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.enum_keys().filter_map(Result::ok).collect()
    }

    /// The subkeys.
    pub(crate) fn children(&self) -> impl Iterator<Item = Self> {
        let names = self.names();
        names.into_iter().filter_map(|name| self.child(&name))
    }

    /// A number.
    #[must_use]
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.0.get_value(name).ok()
    }

    /// A text.
    #[must_use]
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.0.get_value(name).ok()
    }

    /// Bytes as they are.
    #[must_use]
    pub(crate) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        Some(self.0.get_raw_value(name).ok()?.bytes.to_vec())
    }

    /// All texts of the key.
    #[must_use]
    pub(crate) fn texts(&self) -> Vec<String> {
        let values = self.0.enum_values().filter_map(Result::ok);
        values
            .filter_map(|(_, value)| String::from_reg_value(&value).ok())
            .collect()
    }
}
