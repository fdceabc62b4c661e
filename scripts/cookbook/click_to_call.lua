-- Click to call. A contact program has a button beside every number; who clicks it puts the number
-- into a list that the program gives out over HTTP. The phone's owner dials 290, or a key that does,
-- and is connected to what was clicked last; what came of the call is sent back.
--
-- To change: the address of the program. It must stand in cordboard.toml: [http] allow = [...]

local CRM = "https://crm.example.org/clicks"

route("290", function(call)
  local answer, why = http.get(CRM, { query = { extension = call.account }, timeout = 3 })
  if not (answer and answer.ok) then
    log.warn("the contact program gives no number:", why or answer.status)
    call:play("main/try-later")
    call:reject(503)
  end
  local number = answer:json().number
  if not number or not tostring(number):match("^%+?%d+$") then
    call:play("main/nothing-pressed")
    call:reject(404)
  end

  local result = call:dial("sip:" .. number .. "@gw1.example.net", { timeout = 40 })
  http.post(CRM, {
    json = { extension = call.account, number = number, status = result.status, secs = result.secs },
    timeout = 3,
  })
end)
