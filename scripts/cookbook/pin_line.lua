-- A line behind a code: who knows it hears a dial tone of sorts and may dial on, for example from
-- outside into the office. After five wrong codes the line stays shut to that number for an hour. A
-- caller can claim to be any number, so all wrong codes together are counted as well: after thirty the
-- line is shut to everybody, and a million codes would take four years.
--
-- To change: the code, six digits at least, and which numbers may be dialled afterwards.

local CODE = "826419"
local TRIES_MAX, TRIES_OF_ALL_MAX, SHUT_SECONDS = 5, 30, 3600
local ALL = "pin_line wrong codes"

route("230", { public = true }, function(call)
  local wrong = ALL .. " of " .. call.from.user:sub(1, 40)
  local function is_shut()
    return (shared.get(wrong) or 0) >= TRIES_MAX or (shared.get(ALL) or 0) >= TRIES_OF_ALL_MAX
  end
  if is_shut() then call:reject(403) end

  call:answer()
  for _ = 1, 3 do
    local code = call:read { prompt = "cook/enter-code", max = 8, timeout = 6 }
    if is_shut() then break end
    if code == CODE then
      shared.take(wrong)
      local number = call:read { prompt = "main/enter-digits", max = 3, match = "1XX" }
      if number then call:dial("ext/" .. number) end
      call:hangup()
    end
    shared.add(wrong, 1, { ttl = SHUT_SECONDS })
    shared.add(ALL, 1, { ttl = SHUT_SECONDS })
    if not is_shut() then call:play("cook/wrong-code") end
  end
  call:play { "main/no-access", "main/goodbye" }
  call:hangup("rejected")
end)
