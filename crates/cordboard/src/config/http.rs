//! `[http]`: what scripts may reach.

use std::path::Path;

use net::Trusted;
use toml::de::DeValue;

use super::section::{Found, Section, text};

/// What `[http]` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HttpSettings {
    /// Addresses that scripts may reach; nothing else.
    pub(crate) allow: Vec<pbx::Allowed>,
    /// Whose certificates are believed.
    pub(crate) trusted: Trusted,
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
    section.finish();
    HttpSettings { allow: allow.unwrap_or_default(), trusted: trusted.unwrap_or_default() }
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
