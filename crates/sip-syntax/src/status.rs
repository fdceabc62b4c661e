//! Status codes and their classes (RFC 3261 §21 and the registry).

use std::fmt;

/// A three-digit response code, 100 to 699.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusCode(u16);

/// What a code says by its first digit (RFC 3261 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// 1xx: on its way, more will come.
    Provisional,
    /// 2xx.
    Success,
    /// 3xx: try elsewhere.
    Redirect,
    /// 4xx: not this request, here.
    ClientError,
    /// 5xx: not this server.
    ServerError,
    /// 6xx: nowhere.
    GlobalError,
}

impl Class {
    /// Everything but [`Class::Provisional`].
    pub fn is_final(self) -> bool {
        self != Self::Provisional
    }

    /// 2xx.
    pub fn is_success(self) -> bool {
        self == Self::Success
    }

    /// 300 to 699: final, and no dialog came of it.
    pub fn is_failure(self) -> bool {
        self > Self::Success
    }
}

impl StatusCode {
    /// `None` unless 100 to 699.
    pub const fn new(code: u16) -> Option<Self> {
        if code >= 100 && code <= 699 { Some(Self(code)) } else { None }
    }

    /// The number.
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// By first digit.
    pub const fn class(self) -> Class {
        match self.0 / 100 {
            1 => Class::Provisional,
            2 => Class::Success,
            3 => Class::Redirect,
            4 => Class::ClientError,
            5 => Class::ServerError,
            _ => Class::GlobalError,
        }
    }

    /// 200 to 699.
    pub fn is_final(self) -> bool {
        self.class().is_final()
    }

    /// 200 to 299.
    pub fn is_success(self) -> bool {
        self.class().is_success()
    }

    /// 100 to 199.
    pub fn is_provisional(self) -> bool {
        self.class() == Class::Provisional
    }

    /// 300 to 699.
    pub fn is_failure(self) -> bool {
        self.class().is_failure()
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.default_reason())
    }
}

/// Writes the constants and the texts from one table.
macro_rules! codes {
    ($($code:literal $name:ident $text:literal)*) => {
        impl StatusCode {
            $(
                #[doc = concat!("`", $code, " ", $text, "`.")]
                pub const $name: Self = Self($code);
            )*

            /// The reason phrase of the RFC that defines the code; of an unknown one, that of its
            /// class.
            pub fn default_reason(self) -> &'static str {
                match self.0 {
                    $($code => $text,)*
                    100..200 => "Progress",
                    200..300 => "Success",
                    300..400 => "Redirection",
                    400..500 => "Request Failure",
                    500..600 => "Server Failure",
                    _ => "Global Failure",
                }
            }
        }
    };
}

codes! {
    100 TRYING "Trying"
    180 RINGING "Ringing"
    181 CALL_IS_BEING_FORWARDED "Call Is Being Forwarded"
    182 QUEUED "Queued"
    183 SESSION_PROGRESS "Session Progress"
    199 EARLY_DIALOG_TERMINATED "Early Dialog Terminated"
    200 OK "OK"
    202 ACCEPTED "Accepted"
    204 NO_NOTIFICATION "No Notification"
    300 MULTIPLE_CHOICES "Multiple Choices"
    301 MOVED_PERMANENTLY "Moved Permanently"
    302 MOVED_TEMPORARILY "Moved Temporarily"
    305 USE_PROXY "Use Proxy"
    380 ALTERNATIVE_SERVICE "Alternative Service"
    400 BAD_REQUEST "Bad Request"
    401 UNAUTHORIZED "Unauthorized"
    402 PAYMENT_REQUIRED "Payment Required"
    403 FORBIDDEN "Forbidden"
    404 NOT_FOUND "Not Found"
    405 METHOD_NOT_ALLOWED "Method Not Allowed"
    406 NOT_ACCEPTABLE "Not Acceptable"
    407 PROXY_AUTHENTICATION_REQUIRED "Proxy Authentication Required"
    408 REQUEST_TIMEOUT "Request Timeout"
    410 GONE "Gone"
    412 CONDITIONAL_REQUEST_FAILED "Conditional Request Failed"
    413 REQUEST_ENTITY_TOO_LARGE "Request Entity Too Large"
    414 REQUEST_URI_TOO_LONG "Request-URI Too Long"
    415 UNSUPPORTED_MEDIA_TYPE "Unsupported Media Type"
    416 UNSUPPORTED_URI_SCHEME "Unsupported URI Scheme"
    417 UNKNOWN_RESOURCE_PRIORITY "Unknown Resource-Priority"
    420 BAD_EXTENSION "Bad Extension"
    421 EXTENSION_REQUIRED "Extension Required"
    422 SESSION_INTERVAL_TOO_SMALL "Session Interval Too Small"
    423 INTERVAL_TOO_BRIEF "Interval Too Brief"
    424 BAD_LOCATION_INFORMATION "Bad Location Information"
    428 USE_IDENTITY_HEADER "Use Identity Header"
    429 PROVIDE_REFERRER_IDENTITY "Provide Referrer Identity"
    430 FLOW_FAILED "Flow Failed"
    433 ANONYMITY_DISALLOWED "Anonymity Disallowed"
    436 BAD_IDENTITY_INFO "Bad Identity Info"
    437 UNSUPPORTED_CREDENTIAL "Unsupported Credential"
    438 INVALID_IDENTITY_HEADER "Invalid Identity Header"
    439 FIRST_HOP_LACKS_OUTBOUND_SUPPORT "First Hop Lacks Outbound Support"
    440 MAX_BREADTH_EXCEEDED "Max-Breadth Exceeded"
    469 BAD_INFO_PACKAGE "Bad Info Package"
    470 CONSENT_NEEDED "Consent Needed"
    480 TEMPORARILY_UNAVAILABLE "Temporarily Unavailable"
    481 CALL_OR_TRANSACTION_DOES_NOT_EXIST "Call/Transaction Does Not Exist"
    482 LOOP_DETECTED "Loop Detected"
    483 TOO_MANY_HOPS "Too Many Hops"
    484 ADDRESS_INCOMPLETE "Address Incomplete"
    485 AMBIGUOUS "Ambiguous"
    486 BUSY_HERE "Busy Here"
    487 REQUEST_TERMINATED "Request Terminated"
    488 NOT_ACCEPTABLE_HERE "Not Acceptable Here"
    489 BAD_EVENT "Bad Event"
    491 REQUEST_PENDING "Request Pending"
    493 UNDECIPHERABLE "Undecipherable"
    494 SECURITY_AGREEMENT_REQUIRED "Security Agreement Required"
    500 SERVER_INTERNAL_ERROR "Server Internal Error"
    501 NOT_IMPLEMENTED "Not Implemented"
    502 BAD_GATEWAY "Bad Gateway"
    503 SERVICE_UNAVAILABLE "Service Unavailable"
    504 SERVER_TIMEOUT "Server Time-out"
    505 VERSION_NOT_SUPPORTED "Version Not Supported"
    513 MESSAGE_TOO_LARGE "Message Too Large"
    580 PRECONDITION_FAILURE "Precondition Failure"
    600 BUSY_EVERYWHERE "Busy Everywhere"
    603 DECLINE "Decline"
    604 DOES_NOT_EXIST_ANYWHERE "Does Not Exist Anywhere"
    606 NOT_ACCEPTABLE_GLOBAL "Not Acceptable"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_100_to_699() {
        let codes = [99, 100, 699, 700].map(|code| StatusCode::new(code).map(StatusCode::as_u16));
        assert_eq!(codes, [None, Some(100), Some(699), None]);
    }

    #[test]
    fn classes_go_by_the_first_digit() {
        let class = |code| StatusCode::new(code).unwrap().class();
        assert_eq!(class(199), Class::Provisional);
        assert_eq!(class(200), Class::Success);
        assert_eq!(class(399), Class::Redirect);
        assert_eq!(class(400), Class::ClientError);
        assert_eq!(class(599), Class::ServerError);
        assert_eq!(class(600), Class::GlobalError);
        assert!(!StatusCode::RINGING.is_final() && StatusCode::OK.is_final());
        assert!(!StatusCode::OK.is_failure() && StatusCode::MULTIPLE_CHOICES.is_failure());
    }

    #[test]
    fn every_code_has_a_reason() {
        assert_eq!(StatusCode::BUSY_HERE.default_reason(), "Busy Here");
        assert_eq!(StatusCode::new(499).unwrap().default_reason(), "Request Failure");
        assert!((100..700).all(|code| !StatusCode(code).default_reason().is_empty()));
    }
}
