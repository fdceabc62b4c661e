-- case: a file that is not Lua hides nothing of the others
  require "broken"
  route("1", function(call) call:awnser() helper() end)
--                               ^^^^^^ unknown-verb: there is no verb call:awnser (did you mean call:answer?)
-- file: broken.lua
  function helper()
    if x then
--  ^^ syntax: this if has no end (write end where it ends)
      y()
  end
-- case: what only Lua can tell
  goto nowhere
--^^^^^^^^^^^^ syntax: no visible label 'nowhere' for <goto> at line 1
-- case: too deep to be looked at
  x = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))
--                                                                                                       ^ not-checked: this is nested more than 100 levels deep (move parts of it into functions)
-- case: comments that allow
  route("1", function(call)
    log.info(a) -- check: allow unknown-global
    -- check: allow unknown-global, unused-local
    local unused = b
    log.info(c) --check:allow unknown-global
    call:dial("ext/7") -- check: allow unknown-extension
    call:play("welcome") -- check: allow missing-prompt
--                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unused-allow: there is no missing-prompt here to allow (delete the comment)
    call:play("bye") -- check: allow everything
--                   ^^^^^^^^^^^^^^^^^^^^^^^^^^ unused-allow: nothing is called everything here
    call:play("bye") -- check: ignore this
--                   ^^^^^^^^^^^^^^^^^^^^^ unused-allow: this comment is not understood (write -- check: allow NAME)
  end)
-- case: comments that allow a whole file, and are of no use
  -- check: allow-file unused-file
--^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unused-allow: there is no unused-file here to allow (delete the comment)
  -- check: allow-files unused-file
--^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unused-allow: this comment is not understood (write -- check: allow NAME)
  route("1", function(call) call:busy() end)
