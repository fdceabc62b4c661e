-- Screening by a list of contacts in the scripts' own database: friends ring through at any hour,
-- unknown callers in the daytime only, and who is blocked hears that the number is not in service.
-- From an extension, 281 lists who called last as a friend, 282 as blocked.
--
-- To change: who is rung (100), the hours, and where the list comes from: `http.get` could ask a CRM.
-- A friend is known by the number alone, which a caller can make up: let it open no more than a bell.

local SCHEMA = [[CREATE TABLE IF NOT EXISTS contact (
  number TEXT PRIMARY KEY,
  standing TEXT NOT NULL)]]  -- 'friend' or 'blocked'

local function standing_of(number)
  db.execute(SCHEMA)
  local row = db.query("SELECT standing FROM contact WHERE number = ?", number)[1]
  return row and row.standing or "unknown"
end

route("280", { public = true }, function(call)
  local number, standing = call.from.user, standing_of(call.from.user)
  if standing == "blocked" then
    call:play("main/not-in-service")
    call:reject(404)
  end
  -- A caller can claim any name; only a number can be listed, and read out.
  if number:match("^%+?%d+$") then shared.set("screening last caller", number, { ttl = 86400 }) end
  if standing == "unknown" and not time.open("08:00-20:00") then
    return call:voicemail("100")
  end
  local result = call:dial("ext/100", { timeout = 25 })
  if result.status ~= "ANSWERED" then call:voicemail("100", { reason = result.status }) end
end)

local function list_last_caller_as(standing)
  return function(call)
    call:answer()
    local number = shared.get("screening last caller")
    if number then
      db.execute(SCHEMA)
      db.execute("INSERT OR REPLACE INTO contact VALUES (?, ?)", number, standing)
      call:say(number, { as = "digits" })
      call:play("main/thank-you")
    else
      call:play("main/invalid")
    end
    call:hangup()
  end
end

route("281", list_last_caller_as("friend"))
route("282", list_last_caller_as("blocked"))
