//! Names of header fields, with their compact forms (RFC 3261 §7.3.3, §20, and the registry), and
//! the typed values of those that a switch must understand.

mod auth;
mod content_type;
mod cseq;
mod name_addr;
mod replaces;
mod via;

pub use auth::{Challenge, Credentials};
pub use content_type::ContentType;
pub use cseq::CSeq;
pub use name_addr::{ContactValue, NameAddr};
pub use replaces::Replaces;
pub use via::{Via, ViaTransport};

use std::fmt;

/// Writes the enum and its tables from one list: variant, name, compact form.
macro_rules! names {
    ($($variant:ident $name:literal $($compact:literal)?)*) => {
        /// A registered header field, by whatever form of its name; all others are
        /// [`HeaderName::Other`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum HeaderName {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )*
            /// Not registered, or not known here; look for it by its bytes.
            Other,
        }

        impl HeaderName {
            /// The name in full, as usually written; empty for [`HeaderName::Other`].
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other => "",
                }
            }

            const ALL: &[Self] = &[$(Self::$variant),*];

            fn from_compact(letter: u8) -> Self {
                match letter.to_ascii_lowercase() {
                    $($($compact => Self::$variant,)?)*
                    _ => Self::Other,
                }
            }
        }
    };
}

names! {
    Accept "Accept"
    AcceptContact "Accept-Contact" b'a'
    AcceptEncoding "Accept-Encoding"
    AcceptLanguage "Accept-Language"
    AcceptResourcePriority "Accept-Resource-Priority"
    AlertInfo "Alert-Info"
    Allow "Allow"
    AllowEvents "Allow-Events" b'u'
    AnswerMode "Answer-Mode"
    AuthenticationInfo "Authentication-Info"
    Authorization "Authorization"
    CallId "Call-ID" b'i'
    CallInfo "Call-Info"
    Contact "Contact" b'm'
    ContentDisposition "Content-Disposition"
    ContentEncoding "Content-Encoding" b'e'
    ContentLanguage "Content-Language"
    ContentLength "Content-Length" b'l'
    ContentType "Content-Type" b'c'
    CSeq "CSeq"
    Date "Date"
    Diversion "Diversion"
    ErrorInfo "Error-Info"
    Event "Event" b'o'
    Expires "Expires"
    FeatureCaps "Feature-Caps"
    FlowTimer "Flow-Timer"
    From "From" b'f'
    Geolocation "Geolocation"
    HistoryInfo "History-Info"
    Identity "Identity" b'y'
    IdentityInfo "Identity-Info" b'n'
    InfoPackage "Info-Package"
    InReplyTo "In-Reply-To"
    Join "Join"
    MaxBreadth "Max-Breadth"
    MaxForwards "Max-Forwards"
    MimeVersion "MIME-Version"
    MinExpires "Min-Expires"
    MinSe "Min-SE"
    Organization "Organization"
    PAccessNetworkInfo "P-Access-Network-Info"
    PAssertedIdentity "P-Asserted-Identity"
    PAssociatedUri "P-Associated-URI"
    PCalledPartyId "P-Called-Party-ID"
    PChargingFunctionAddresses "P-Charging-Function-Addresses"
    PChargingVector "P-Charging-Vector"
    PEarlyMedia "P-Early-Media"
    PPreferredIdentity "P-Preferred-Identity"
    PVisitedNetworkId "P-Visited-Network-ID"
    Path "Path"
    PermissionMissing "Permission-Missing"
    Priority "Priority"
    PrivAnswerMode "Priv-Answer-Mode"
    Privacy "Privacy"
    ProxyAuthenticate "Proxy-Authenticate"
    ProxyAuthenticationInfo "Proxy-Authentication-Info"
    ProxyAuthorization "Proxy-Authorization"
    ProxyRequire "Proxy-Require"
    RAck "RAck"
    Reason "Reason"
    RecordRoute "Record-Route"
    RecvInfo "Recv-Info"
    ReferEventsAt "Refer-Events-At"
    ReferSub "Refer-Sub"
    ReferTo "Refer-To" b'r'
    ReferredBy "Referred-By" b'b'
    RejectContact "Reject-Contact" b'j'
    RemotePartyId "Remote-Party-ID"
    Replaces "Replaces"
    ReplyTo "Reply-To"
    RequestDisposition "Request-Disposition" b'd'
    Require "Require"
    ResourcePriority "Resource-Priority"
    RetryAfter "Retry-After"
    Route "Route"
    RSeq "RSeq"
    SecurityClient "Security-Client"
    SecurityServer "Security-Server"
    SecurityVerify "Security-Verify"
    Server "Server"
    ServiceRoute "Service-Route"
    SessionExpires "Session-Expires" b'x'
    SessionId "Session-ID"
    SipETag "SIP-ETag"
    SipIfMatch "SIP-If-Match"
    Subject "Subject" b's'
    SubscriptionState "Subscription-State"
    Supported "Supported" b'k'
    SuppressIfMatch "Suppress-If-Match"
    TargetDialog "Target-Dialog"
    Timestamp "Timestamp"
    To "To" b't'
    TriggerConsent "Trigger-Consent"
    Unsupported "Unsupported"
    UserAgent "User-Agent"
    UserToUser "User-to-User"
    Via "Via" b'v'
    Warning "Warning"
    WwwAuthenticate "WWW-Authenticate"
}

impl HeaderName {
    /// Finds the name without regard to case, compact forms included.
    pub fn from_bytes(name: &[u8]) -> Self {
        if let [letter] = name {
            return Self::from_compact(*letter);
        }
        BUCKETS
            .get(bucket(name))
            .into_iter()
            .flatten()
            .copied()
            .take_while(|&candidate| candidate != Self::Other)
            .find(|candidate| candidate.as_str().as_bytes().eq_ignore_ascii_case(name))
            .unwrap_or(Self::Other)
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where to look for a name: few registered names share a bucket.
const fn bucket(name: &[u8]) -> usize {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else {
        return 0;
    };
    let (_, second_half) = name.split_at(name.len() / 2);
    let middle = match second_half.first() {
        Some(&middle) => middle,
        None => first,
    };
    (lower(first) * 7 + lower(last) * 3 + lower(middle) * 11 + name.len() * 5) % BUCKET_COUNT
}

/// Makes letters lower-case and leaves `-` as it is.
const fn lower(byte: u8) -> usize {
    (byte | 0x20) as usize
}

const BUCKET_COUNT: usize = 256;

static BUCKETS: [[HeaderName; 4]; BUCKET_COUNT] = {
    let mut buckets = [[HeaderName::Other; 4]; BUCKET_COUNT];
    let mut at = 0;
    #[expect(clippy::indexing_slicing, reason = "runs at compile time, within bounds")]
    while at < HeaderName::ALL.len() {
        let name = HeaderName::ALL[at];
        let bucket = &mut buckets[bucket(name.as_str().as_bytes())];
        let mut slot = 0;
        while bucket[slot] as u8 != HeaderName::Other as u8 {
            slot += 1;
        }
        bucket[slot] = name;
        at += 1;
    }
    buckets
};

#[cfg(test)]
mod tests;
