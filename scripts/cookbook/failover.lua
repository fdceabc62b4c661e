-- Failover between two gateways: 9 and a number of this country goes out through the first gateway; if
-- that fails by its own fault, through the second. A busy or silent callee is not such a fault: the
-- second gateway would only ring the same phone again.
--
-- To change: the gateways, and the pattern, which says what may be called: `9X.` would let a stolen
-- phone call premium numbers abroad all night. Routes are for accounts of the office alone unless they
-- say `public`, so no stranger calls at our cost.

local GATEWAYS = { "gw1.example.net", "gw2.example.net" }
local OUT_OF_ORDER = { CONGESTION = true, CHANUNAVAIL = true }

route("90NXXXXXXX", function(call)
  local number = call.to.user:sub(2)
  for _, gateway in ipairs(GATEWAYS) do
    local result = call:dial("sip:" .. number .. "@" .. gateway, { timeout = 40 })
    if not OUT_OF_ORDER[result.status] then
      -- A refusal reaches the caller with the code the callee gave.
      return
    end
    log.warn("gateway", gateway, "failed:", result.code, result.reason)
  end
  call:play("main/try-later")
  call:reject(503)
end)
