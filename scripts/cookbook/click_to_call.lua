-- Click to call. A contact program has a button beside every number. It says who clicked which: that
-- person's phone rings, and as soon as it is picked up the number is called.
--
--   curl http://127.0.0.1:8080/click -H "Authorization: Bearer TOKEN" \
--     -d '{ "extension": "101", "number": "+6620000000" }'
--
-- is answered {"id":"17","status":"ANSWERED"} when the phone is picked up, and with 409 if it is not.
-- Then .../click?id=17 tells how the call itself stands: CALLING, BUSY, NOANSWER, ENDED and so on.
--
-- To change: who may use it and which numbers may be called, since whoever has the token can ask for
-- any; how often; the gateway. `listen` and `token` stand in cordboard.toml, under [http].

local PHONES = { ["101"] = true, ["102"] = true }
local NUMBERS = { "^%+66[2-9]%d%d%d%d%d%d%d$", "^%+66[689]%d%d%d%d%d%d%d%d$" }
local PER_HOUR = 30
local GATEWAY = "gw1.example.net"

local function is_allowed(number)
  for _, pattern in ipairs(NUMBERS) do
    if type(number) == "string" and number:match(pattern) then return true end
  end
end

webhook("/click", function(request)
  local wish = request:json()
  if type(wish) ~= "table" or not PHONES[wish.extension] or not is_allowed(wish.number) then
    return { status = 400, body = "an extension and a number that may be called are needed" }
  elseif shared.add("clicks of " .. wish.extension, 1, { ttl = 3600 }) > PER_HOUR then
    return { status = 429, body = "too many calls" }
  end
  local id = tostring(shared.add("clicks", 1))
  local function note(status) shared.set("click " .. id, status, { ttl = 86400 }) end

  local phone = pbx.originate {
    to = "ext/" .. wish.extension, timeout = 25, caller = { user = wish.number },
    run = function(call)
      note("CALLING")
      call:on_hangup(function() if shared.get("click " .. id) == "CALLING" then note("ENDED") end end)
      local result = call:dial("sip:" .. wish.number .. "@" .. GATEWAY, { timeout = 40 })
      note(result.status == "ANSWERED" and "ENDED" or result.status)
      if result.status ~= "ANSWERED" then call:play { "main/not-available", "main/goodbye" } end
    end,
  }
  return { status = phone.status == "ANSWERED" and 200 or 409, json = { id = id, status = phone.status } }
end)

webhook("/click", { methods = { "GET" } }, function(request)
  local status = shared.get("click " .. (request.query.id or ""))
  return { status = status and 200 or 404, json = { status = status or "unknown" } }
end)
