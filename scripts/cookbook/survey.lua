-- A short survey after a call to support: when the agent hangs up, the caller is asked for a mark
-- from 1 to 5, and the answer is kept in the scripts' own SQLite database. Who hangs up first is not
-- asked. The mean of the last 30 days can be heard at another number.
--
-- To change: whom 270 rings, the question, and what else belongs into the table.

local SCHEMA = [[
  CREATE TABLE IF NOT EXISTS survey (
    at INTEGER NOT NULL,     -- Unix seconds
    caller TEXT NOT NULL,
    agent TEXT NOT NULL,
    mark INTEGER NOT NULL
  )]]

route("270", { public = true }, function(call)
  local result = call:dial({ "ext/103", "ext/104" }, { timeout = 30 })
  if result.status ~= "ANSWERED" then
    return call:voicemail("103", { reason = result.status })
  end
  local mark = call:read {
    prompt = "cook/survey", max = 1, timeout = 8, tries = 2, match = "[1-5]",
    invalid = "main/invalid",
  }
  if mark then
    db.execute(SCHEMA)
    db.execute("INSERT INTO survey VALUES (?, ?, ?, ?)",
      time.now(), call.from.user, result.to, tonumber(mark))
    call:play { "cook/survey-thanks", "main/goodbye" }
  end
  call:hangup()
end)

route("271", function(call)
  db.execute(SCHEMA)
  local month_ago = time.now() - 30 * 86400
  local row = db.query("SELECT avg(mark) AS mean FROM survey WHERE at > ?", month_ago)[1]
  call:answer()
  if row.mean then
    -- One decimal: 4.3.
    call:say(math.floor(row.mean * 10 + 0.5) / 10)
  else
    call:say(0)
  end
  call:hangup()
end)
