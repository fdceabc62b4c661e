//! Answering a challenge.

use sip_syntax::{Challenge, Method};

use super::{Algorithm, Proof, hex, quoted};
use crate::ClientCredentials;

#[cfg(test)]
mod tests;

/// The value of Authorization (or Proxy-Authorization) that answers the best of `challenges`.
///
/// SHA-256 is chosen where offered, else MD5; a challenge for another realm than the credentials' own,
/// of an unknown algorithm or without qop `auth` among its qops is passed over, and `None` is given
/// back if none is left. Each nonce is to be answered once: the count is always 1.
pub fn answer(
    challenges: &[Challenge],
    credentials: &ClientCredentials,
    method: &Method,
    uri: &[u8],
    rng: &mut fastrand::Rng,
) -> Option<String> {
    let (algorithm, challenge) = challenges
        .iter()
        .filter(|challenge| is_for(challenge, credentials))
        .filter_map(|challenge| {
            Some((Algorithm::named(challenge.algorithm().as_deref())?, challenge))
        })
        .rev()
        .max_by_key(|(algorithm, _)| *algorithm)?;
    let (realm, nonce) = (challenge.realm()?, challenge.nonce()?);
    let client_nonce = hex(&rng.u64(..).to_be_bytes());
    let counted = challenge.qop().is_some();
    let proof = Proof {
        algorithm,
        user: credentials.user.as_bytes(),
        realm: &realm,
        nonce: &nonce,
        method: method.as_bytes(),
        uri,
        counted: counted.then_some((COUNT.as_bytes(), client_nonce.as_bytes())),
    };
    let mut value = format!(
        "Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\"",
        quoted(&credentials.user),
        quoted(str::from_utf8(&realm).ok()?),
        quoted(str::from_utf8(&nonce).ok()?),
        quoted(str::from_utf8(uri).ok()?),
        proof.response(credentials.secret.as_bytes()),
    );
    if challenge.algorithm().is_some() {
        value.push_str(", algorithm=");
        value.push_str(algorithm.as_str());
    }
    if counted {
        value.push_str(", qop=auth, nc=");
        value.push_str(COUNT);
        value.push_str(", cnonce=\"");
        value.push_str(&client_nonce);
        value.push('"');
    }
    if let Some(opaque) = challenge.opaque() {
        value.push_str(", opaque=");
        value.push_str(&quoted(str::from_utf8(&opaque).ok()?));
    }
    Some(value)
}

/// Whether these credentials may be shown to whoever asks so.
fn is_for(challenge: &Challenge, credentials: &ClientCredentials) -> bool {
    let Some(realm) = challenge.realm() else {
        return false;
    };
    challenge.is_digest()
        && challenge.nonce().is_some()
        && credentials.realm.as_ref().is_none_or(|own| own.as_bytes() == realm.as_ref())
        && (challenge.qop().is_none() || challenge.offers_qop(b"auth"))
}

/// The nonce count of a first use.
const COUNT: &str = "00000001";
