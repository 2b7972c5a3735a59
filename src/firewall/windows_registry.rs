//! Reads the settings of Microsoft Defender Firewall; an ordinary user may.

use super::windows::{
    FirewallRules, ListeningProgram, MadeBy, Profile, ProfileSettings, last_connected, overall,
};
use super::{Firewall, FirewallVerdict};
use crate::registry::RegistryKey;

/// The settings and rules of this PC.
const POLICY: &str = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy";
/// The settings and rules of the network's administrator.
const PRESCRIBED: &str = r"SOFTWARE\Policies\Microsoft\WindowsFirewall";
/// The networks that this PC was connected to.
const NETWORKS: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\Profiles";

/// What the firewall does with a first datagram to this program.
pub(super) fn look(port: u16) -> FirewallVerdict {
    let Some(policy) = RegistryKey::open(POLICY) else {
        return FirewallVerdict::Unknown(Some(Firewall::Windows));
    };
    let prescribed = RegistryKey::open(PRESCRIBED);
    let settings =
        Profile::ALL.map(|profile| profile_settings(profile, &policy, prescribed.as_ref()));
    let texts = |key: &RegistryKey| {
        let rules = key.child("FirewallRules");
        rules.map(|key| key.texts()).unwrap_or_default()
    };
    let rules = FirewallRules {
        local: texts(&policy),
        prescribed: prescribed.as_ref().map(texts).unwrap_or_default(),
    };
    let program = std::env::current_exe().unwrap_or_default();
    let resolved = program.canonicalize().unwrap_or_default();
    let listener = ListeningProgram {
        port,
        program: &program.to_string_lossy(),
        resolved: &resolved.to_string_lossy(),
        variable: &|name| std::env::var(name).ok(),
    };
    overall(current_profile(), &settings, &rules, &listener)
}

/// The settings of one profile. The administrator's settings override this PC's own.
fn profile_settings(
    profile: Profile,
    policy: &RegistryKey,
    prescribed: Option<&RegistryKey>,
) -> ProfileSettings {
    let keys: Vec<(RegistryKey, MadeBy)> = [
        (prescribed, MadeBy::Administrator),
        (Some(policy), MadeBy::ThisPc),
    ]
    .into_iter()
    .filter_map(|(key, made_by)| Some((key?.child(profile.key())?, made_by)))
    .collect();
    let set = |name: &str| {
        let mut values = keys.iter();
        values.find_map(|(key, made_by)| Some((key.number(name)? != 0, *made_by)))
    };
    let is = |name: &str, default: bool| set(name).map_or(default, |(value, _)| value);
    ProfileSettings {
        profile,
        is_on: is("EnableFirewall", true),
        blocks: is("DefaultInboundAction", true),
        blocks_all: set("DoNotAllowExceptions").and_then(|(is, made_by)| is.then_some(made_by)),
        asks: !is("DisableNotifications", false),
        has_local_rules: is("AllowLocalPolicyMerge", true),
    }
}

/// The profile of the network that was connected last. The registry has only that time, not the current connections.
fn current_profile() -> Option<Profile> {
    let networks = RegistryKey::open(NETWORKS)?;
    let latest = networks
        .children()
        .filter_map(|network| {
            let time = last_connected(&network.bytes("DateLastConnected")?)?;
            Some((time, network.number("Category")?))
        })
        .max()?;
    Profile::of_category(latest.1)
}
