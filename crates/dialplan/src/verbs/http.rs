//! Rows of `http`.

use super::{
    ClassSpec, Kind, Library, LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec, seconds,
};

/// Other programs, over HTTP.
pub const HTTP: LibrarySpec = LibrarySpec {
    library: Library::Http,
    summary: "Asks other programs over HTTP.",
    doc: "A script reaches only the addresses that `allow` under `[http]` in the configuration \
          names; there are none until somebody puts them there. Redirects are followed within \
          these addresses only.\n\nThe script waits for the answer, the call goes on: what the \
          caller hears is not interrupted. When the caller hangs up, the request is cut off; \
          `call:on_hangup` is for what is to be sent when a call is over.\n\nA result has `status`, `ok` (whether that is 200 to 299), `headers` by name in any case, \
          `body`, and `:json()`, which reads the body as `json.decode` does. Without an answer it \
          is nil, and a word says why: `timeout`, `refused` (nobody listens there), `no such \
          host`, `not trusted` (the certificate), `not allowed`, `too large`, `too many redirects`, \
          `busy` (too many requests at one time) or `broken`.",
    fields: &[],
    functions: &[
        VerbSpec {
            name: "get",
            summary: "Fetches an address.",
            doc: "Values for the part after the question mark belong into `query`, which escapes \
                  what must be escaped.",
            arguments: &[URL],
            options: &[HEADERS, MAX_BYTES, QUERY, REDIRECTS, TIMEOUT],
            returns: ANSWER,
            example: r#"route("1XX", function(call)
  local answer, why = http.get("https://crm.example.org/contacts", {
    query = { number = call.from.user },
    timeout = 2,
  })
  local contact = answer and answer.ok and answer:json()
  if contact then
    log.info("a call by", contact.name)
  else
    log.warn("no contact:", why)
  end
  call:dial("ext/" .. call.to.user)
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "post",
            summary: "Sends something to an address.",
            doc: "What is sent is a `body` as it is, a value as `json`, or a table of fields as \
                  `form`; the header Content-Type is set to fit unless `headers` has one.",
            arguments: &[URL],
            options: &[BODY, FORM, HEADERS, JSON, MAX_BYTES, QUERY, REDIRECTS, TIMEOUT],
            returns: ANSWER,
            example: r#"route("0", function(call)
  local result = call:dial("ext/100", { timeout = 20 })
  http.post("https://crm.example.org/calls", {
    headers = { Authorization = "Bearer " .. "a secret" },
    json = { from = call.from.user, status = result.status },
  })
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "request",
            summary: "Sends a request with any method.",
            doc: "As `http.get` and `http.post`, for all the other methods.",
            options: &[
                BODY,
                FORM,
                HEADERS,
                JSON,
                MAX_BYTES,
                OptionSpec::optional(
                    "method",
                    Kind::Word(&METHODS),
                    "What to do there; GET if left out.",
                ),
                QUERY,
                REDIRECTS,
                TIMEOUT,
                URL,
            ],
            returns: ANSWER,
            example: r#"route("*28", function(call)
  local answer = http.request {
    method = "PUT",
    url = "http://10.0.0.5:8080/api/light",
    json = { on = true },
  }
  call:answer()
  call:play(answer and answer.ok and "main/thank-you" or "main/no-access")
end)
"#,
            ..FUNCTION
        },
    ],
};

/// Methods that a script may use: those that carry a body to a resource or none.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
/// Bytes of an answer's body unless a script asks for more or less.
pub(crate) const BODY_BYTES: i64 = 256 * 1024;

const URL: OptionSpec =
    OptionSpec::required("url", Kind::Text, "The whole address, `https://...` or `http://...`.");
const BODY: OptionSpec = OptionSpec::optional("body", Kind::Text, "What is sent, as it is.");
const FORM: OptionSpec =
    OptionSpec::optional("form", Kind::Table, "Fields and their values, sent as a form.");
const HEADERS: OptionSpec =
    OptionSpec::optional("headers", Kind::Headers, "Header lines to send, by name.");
const JSON: OptionSpec = OptionSpec::optional("json", Kind::Anything, "A value, sent as JSON.");
const QUERY: OptionSpec = OptionSpec::optional(
    "query",
    Kind::Table,
    "Names and values that follow the address after a question mark.",
);
const TIMEOUT: OptionSpec = OptionSpec::optional(
    "timeout",
    seconds(0.1, 60.0, Some(10.0)),
    "How long all of it may take, in seconds.",
);
const MAX_BYTES: OptionSpec = OptionSpec::optional(
    "max_bytes",
    Kind::Whole { min: 0, max: 2 * BODY_BYTES, default: Some(BODY_BYTES) },
    "How long the body of the answer may be; a longer one is `too large`.",
);
const REDIRECTS: OptionSpec = OptionSpec::optional(
    "redirects",
    Kind::Whole { min: 0, max: 10, default: Some(5) },
    "How many redirects are followed; with 0 the redirect itself is the answer.",
);
const ANSWER: Returns = Returns::Values(&[
    ValueSpec::new("answer", "HttpAnswer?", "The answer; nil if there is none."),
    ValueSpec::new(
        "why",
        r#"("timeout"|"refused"|"no such host"|"not trusted"|"not allowed"|"too large"|"too many redirects"|"busy"|"broken")?"#,
        "Why there is none.",
    ),
    ValueSpec::new("advice", "string?", "What to do about it, if more can be said."),
]);
/// What `http` gives back.
pub(super) const HTTP_ANSWER: ClassSpec = ClassSpec {
    name: "HttpAnswer",
    doc: "What another program answered.",
    fields: &[
        ValueSpec::new("body", "string", "The body, as it came."),
        ValueSpec::new("headers", "table<string, string>", "Header lines by name in any case."),
        ValueSpec::new(
            "json",
            "fun(self: HttpAnswer): any, string?",
            "Reads the body as JSON: the value, or nil and why.",
        ),
        ValueSpec::new("ok", "boolean", "Whether the status is 200 to 299."),
        ValueSpec::new("status", "integer", "The status, as in 200 or 404."),
    ],
};
const FUNCTION: VerbSpec = VerbSpec { library: Library::Http, waits: true, ..VerbSpec::FUNCTION };
