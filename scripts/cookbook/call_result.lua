-- What came of every call to sales, told to a contact program when the call is over: who called, who
-- answered, for how long they talked, how it ended. While that program is out of order the results are
-- kept in the scripts' own SQLite database, and told every ten minutes until it takes them.
--
-- To change: whom 280 rings, the address, and what is told. `allow` under `[http]` must have the address.

local URL = "https://crm.example.org/calls"
local SCHEMA = "CREATE TABLE IF NOT EXISTS untold (id INTEGER PRIMARY KEY, result TEXT NOT NULL)"
-- Told at one time of what was kept.
local AT_ONCE = 20

-- Whether the contact program took it.
local function told(result)
  local answer = http.post(URL, { json = result, timeout = 5 })
  return answer ~= nil and answer.ok
end

route("280", { public = true }, function(call)
  local result = { call = call.id, from = call.from.user, at = time.now(), talked = 0 }
  local answered_at
  -- A dial that the caller ends does not return, so who answered is noted when it happens.
  call:on("answer", function(target)
    result.agent, answered_at = target, time.now()
  end)
  call:on_hangup(function(cause, code)
    result.ended, result.code = cause, code
    if answered_at then result.talked = time.now() - answered_at end
    if not told(result) then
      db.execute(SCHEMA)
      db.execute("INSERT INTO untold (result) VALUES (?)", json.encode(result))
    end
  end)
  call:dial({ "ext/101", "ext/102" }, { timeout = 25 })
end)

schedule({ every = 600 }, function()
  db.execute(SCHEMA)
  for _, row in ipairs(db.query("SELECT id, result FROM untold ORDER BY id LIMIT ?", AT_ONCE)) do
    -- The next time, then.
    if not told(json.decode(row.result)) then return end
    db.execute("DELETE FROM untold WHERE id = ?", row.id)
  end
end)
