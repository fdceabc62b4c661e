-- A reception menu: sales or support at a key, opening hours to listen to, and a person for whoever
-- presses nothing.
--
-- To change: the number (200), who is rung, and in which order. `{ a, b }` rings both together,
-- `{ { a }, { b } }` one after the other.

local SALES = { "ext/101", "ext/102" }
local SUPPORT = { { "ext/103" }, { "ext/104" } }
local RECEPTION = "ext/100"

-- Rings somebody. Whoever gets nobody can leave a message.
local function connect(call, who, mailbox)
  call:play("main/transferring")
  local result = call:dial(who, { timeout = 20, music = "music/waltz" })
  if result.status ~= "ANSWERED" then
    call:voicemail(mailbox, { reason = result.status })
  end
end

route("200", { public = true }, function(call)
  call:answer()
  local chosen = call:menu {
    prompt = "cook/reception", timeout = 4, tries = 2, invalid = "main/invalid",
    ["1"] = function() connect(call, SALES, "101") end,
    ["2"] = function() connect(call, SUPPORT, "103") end,
    ["3"] = function() call:play { "cook/hours", "main/goodbye" } end,
  }
  if not chosen then connect(call, RECEPTION, "100") end
  call:hangup()
end)
