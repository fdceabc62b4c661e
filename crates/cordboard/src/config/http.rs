//! `[http]`: what scripts may reach, and where others reach them.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use net::Trusted;
use toml::de::DeValue;

use super::secret;
use super::section::{Found, Section, text};

/// What `[http]` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HttpSettings {
    /// Addresses that scripts may reach; nothing else.
    pub(crate) allow: Vec<pbx::Allowed>,
    /// Whose certificates are believed.
    pub(crate) trusted: Trusted,
    /// Where other programs are heard, and the token that they prove themselves with.
    pub(crate) listen: Option<Heard>,
}

/// Where other programs are heard.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) address: SocketAddr,
    /// Never shown.
    pub(crate) token: String,
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heard").field("address", &self.address).finish_non_exhaustive()
    }
}

impl HttpSettings {
    /// Where other programs are heard.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.listen.as_ref().map(|heard| heard.address)
    }
}

/// Reads the section; paths in it start at `folder`.
pub(super) fn read(root: &mut Section<'_, '_>, folder: &Path) -> HttpSettings {
    let mut section = root.section("http");
    let allow = section.list("allow", "addresses such as \"https://crm.example.org/\"", allowed);
    let trusted = section.value("ca", "the path of a file with certificates", |value| {
        let path = folder.join(text(value)?);
        let shown = path.display();
        let pem = std::fs::read(&path)
            .map_err(|error| Found::new(format!("{shown} cannot be read: {error}")))?;
        Trusted::with_authorities(&pem).map_err(|error| Found::new(format!("{shown}: {error}")))
    });
    let address = section.value("listen", "an address such as \"127.0.0.1:8080\"", |value| {
        let written = text(value)?;
        written.parse::<SocketAddr>().map_err(|_error| Found::new("not an IP address and a port"))
    });
    let expected = "text, \"env:NAME\" or \"file:PATH\"";
    let token = match address {
        Some(_) => section.required("token", expected, |value| secret::token(value, folder)),
        None => section.value("token", expected, |value| secret::token(value, folder)),
    };
    section.finish();
    let listen = address.zip(token).map(|(address, token)| Heard { address, token });
    HttpSettings { allow: allow.unwrap_or_default(), trusted: trusted.unwrap_or_default(), listen }
}

fn allowed(value: &DeValue<'_>) -> Result<pbx::Allowed, Found> {
    let written = text(value)?;
    pbx::Allowed::parse(&written).map_err(|problem| {
        Found::with_help(
            format!("this {problem}"),
            "\"https://crm.example.org/api/\" is everything below that, without the slash at the \
             end this one address alone; * stands for any host",
        )
    })
}
