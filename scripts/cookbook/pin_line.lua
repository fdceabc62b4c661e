-- A line behind a code: who knows it hears a dial tone of sorts and may dial on, for example from
-- outside into the office. Wrong codes are counted for each caller, and after five the line stays
-- shut to that number for an hour, so that nobody can try them all.
--
-- To change: the code, and which numbers may be dialled afterwards.

local CODE = "8264"
local TRIES_MAX, SHUT_SECONDS = 5, 3600

route("230", { public = true }, function(call)
  local wrong = "pin_line wrong codes " .. call.from.user
  if (shared.get(wrong) or 0) >= TRIES_MAX then call:reject(403) end

  call:answer()
  for _ = 1, 3 do
    local code = call:read { prompt = "cook/enter-code", max = 8, timeout = 6 }
    if code == CODE then
      shared.take(wrong)
      local number = call:read { prompt = "main/enter-digits", max = 3, match = "1XX" }
      if number then call:dial("ext/" .. number) end
      call:hangup()
    end
    if shared.add(wrong, 1, { ttl = SHUT_SECONDS }) >= TRIES_MAX then break end
    call:play("cook/wrong-code")
  end
  call:play { "main/no-access", "main/goodbye" }
  call:hangup("rejected")
end)
