//! A callee sends us elsewhere with a 3xx (RFC 3261 §8.1.3.4).

use std::time::Instant;

use sip_syntax::Response;

use super::ways::{Way, is_ours, ways_to_extension};
use super::{BRANCHES_MAX, Dialing};
use crate::call::Call;
use crate::desk::Desk;

impl Call {
    /// Where a 3xx sends us: other extensions of ours, no further. A phone may not make the office
    /// call whomever it names.
    pub(super) fn redirected(
        &self,
        now: Instant,
        desk: &Desk,
        dialing: &Dialing,
        response: &Response,
    ) -> Vec<Way> {
        let redirect = (300..400).contains(&response.status().as_u16());
        if !redirect || dialing.redirects >= REDIRECTS_MAX {
            return Vec::new();
        }
        let contacts = response.contacts().unwrap_or_default();
        let mut ways = Vec::new();
        for contact in contacts {
            let sip_syntax::ContactValue::Addr(contact) = contact else { continue };
            let uri = &contact.uri;
            let user = uri.user().unwrap_or_default();
            if is_ours(desk, uri)
                && let Ok(found) = ways_to_extension(now, desk, &user)
            {
                ways.extend(found);
            }
        }
        ways.truncate(BRANCHES_MAX.saturating_sub(dialing.branches.len()));
        ways
    }
}

/// Redirections followed for one dial.
const REDIRECTS_MAX: u8 = 5;
