-- Lets one controller at a time do something, until one has done it; what a dead one had begun is begun anew.
--
-- ARGV  controller, epoch, what, remember ms, number of this call
-- Keeps: where memory is full, no deliveries are noted: anybody can send those.
-- Answers  FIRST | AGAIN (its earlier controller is gone) | UNDERWAY | DONE note | FENCED | MENDING
if string.sub(ARGV[3], 1, 9) ~= 'delivery:' then though_full() end
local controller, epoch, key = ARGV[1], ARGV[2], P .. 'turn:' .. ARGV[3]
if not member(controller, epoch) then return {'FENCED'} end
if mending() then return {'MENDING'} end
local answer, held = 'FIRST', redis.call('GET', key)
if held then
  local done = string.match(held, '^D(.*)$')
  if done then return {'DONE', done} end
  local word, c, e, call = string.match(held, '^(%u+):([^:]*):([^:]*):(.*)$')
  -- The same call repeated: its answer was lost.
  if c == controller and e == epoch and call == ARGV[5] then return {word} end
  if member(c, e) then return {'UNDERWAY'} end
  answer = 'AGAIN'
end
redis.call('SET', key, answer .. ':' .. controller .. ':' .. epoch .. ':' .. ARGV[5], 'PX', ARGV[4])
return {answer}
