//! Names, addresses and ranges as they are written in the file.

use std::net::IpAddr;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use sip_engine::Algorithm;
use toml::de::DeValue;

use super::section::{Found, text};

/// The known name that `name` was most likely meant to be, if one is near enough.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = name.to_lowercase();
    // One slip, or one in three letters of a longer name.
    let slips_max = (wanted.chars().count() / 3).max(1);
    known
        .map(|candidate| (strsim::osa_distance(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(slips, _candidate)| *slips <= slips_max)
        .min_by_key(|(slips, _candidate)| *slips)
        .map(|(_slips, candidate)| candidate)
}

/// Whether an account may have this name: it is a digest user name, a number to dial and a part of
/// URIs.
pub(crate) fn is_account_name(name: &str) -> bool {
    is_plain(name, "-_.+")
}

/// Whether a mailbox may have this name.
pub(crate) fn is_mailbox_name(name: &str) -> bool {
    is_plain(name, "-_.")
}

fn is_plain(name: &str, marks: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}

pub(super) fn domain(value: &DeValue<'_>) -> Result<String, Found> {
    let domain = text(value)?;
    let fits = (1..=253).contains(&domain.len())
        && domain.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
    if fits { Ok(domain) } else { Err(Found::new("a host name has letters, digits, `.` and `-`")) }
}

pub(super) fn display_name(value: &DeValue<'_>) -> Result<String, Found> {
    let name = text(value)?;
    if name.chars().any(char::is_control) {
        return Err(Found::new("a name has no line ends or other control characters"));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(Found::new(format!("longer than {NAME_CHARS_MAX} characters")));
    }
    Ok(name)
}

/// The name of a prompt; `None` for none at all.
pub(super) fn apology(value: &DeValue<'_>) -> Result<Option<String>, Found> {
    if value.as_bool() == Some(false) {
        return Ok(None);
    }
    let name = text(value)?;
    let fits = (1..=255).contains(&name.len())
        && name.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c));
    if fits {
        Ok(Some(name))
    } else {
        Err(Found::new("a prompt is named by its path under the prompts, without the ending"))
    }
}

pub(super) fn language(value: &DeValue<'_>) -> Result<String, Found> {
    let language = text(value)?;
    if is_plain(&language, "-_") {
        Ok(language)
    } else {
        Err(Found::new("a language has letters, digits, `-` and `_`"))
    }
}

pub(super) fn time_zone(value: &DeValue<'_>) -> Result<TimeZone, Found> {
    let name = text(value)?;
    TimeZone::get(&name).map_err(|_unknown| {
        let zones: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
        match nearest(&name, zones.iter().map(String::as_str)) {
            Some(near) => Found::with_help("no such zone", format!("did you mean \"{near}\"?")),
            None => Found::new("no such zone"),
        }
    })
}

/// The file of the scripts' database, which must not be Cordboard's own.
pub(super) fn database(value: &DeValue<'_>) -> Result<PathBuf, Found> {
    let path = PathBuf::from(text(value)?);
    match path.file_name().and_then(|name| name.to_str()) {
        None => Err(Found::new("this names no file")),
        Some(name) if name.starts_with("cordboard.") => {
            Err(Found::new("files of that name hold Cordboard's own records"))
        }
        Some(_) => Ok(path),
    }
}

pub(super) fn algorithm(value: &DeValue<'_>) -> Result<Algorithm, Found> {
    let name = text(value)?;
    let known = [Algorithm::Sha256, Algorithm::Md5];
    known
        .into_iter()
        .find(|algorithm| algorithm.as_str() == name)
        .ok_or_else(|| Found::new("neither \"SHA-256\" nor \"MD5\""))
}

pub(super) fn ip_address(value: &DeValue<'_>) -> Result<IpAddr, Found> {
    text(value)?.parse().map_err(|_error| Found::new("not an IP address"))
}

/// `FIRST-LAST`, with room for at least two calls.
pub(super) fn port_range(value: &DeValue<'_>) -> Result<(u16, u16), Found> {
    let range = text(value)?;
    let (first, last) = range.split_once('-').ok_or_else(|| Found::new("not two ports"))?;
    let port =
        |text: &str| text.trim().parse::<u16>().map_err(|_error| Found::new("not two ports"));
    let (first, last) = (port(first)?, port(last)?);
    if first < 1_024 {
        return Err(Found::new("ports below 1024 belong to the system"));
    }
    if last < first || last - first < 8 {
        return Err(Found::new("the last port must be at least 8 above the first"));
    }
    Ok((first, last))
}

/// An address, or a network in CIDR notation.
pub(super) fn network(value: &DeValue<'_>) -> Result<(IpAddr, u8), Found> {
    let network = text(value)?;
    let (address, prefix) = match network.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (network.as_str(), None),
    };
    let address: IpAddr = address.parse().map_err(|_error| Found::new("not an IP address"))?;
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    let bits = match prefix {
        None => bits_max,
        Some(prefix) => prefix
            .parse()
            .ok()
            .filter(|bits| *bits <= bits_max)
            .ok_or_else(|| Found::new(format!("the prefix is a number up to {bits_max}")))?,
    };
    Ok((address, bits))
}

/// Names as long as any phone can show.
const NAME_CHARS_MAX: usize = 64;
