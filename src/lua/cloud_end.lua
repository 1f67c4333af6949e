-- Gives a slot back: its agent is gone, or never came. Who was away hears so a day long, by the slot's id or, after a restart, by the
-- controller that began it and the agent's name.
--
-- ARGV  controller, epoch, id of the slot
-- Answers  ENDED | HELD (it is another member's) | FENCED
though_full()
local controller, epoch, id = ARGV[1], ARGV[2], ARGV[3]
if not member(controller, epoch) then return {'FENCED'} end
local held = redis.call('HGET', P .. 'clouds', id)
if held and string.match(held, '^([^\n]*)') ~= controller then return {'HELD'} end
local agent = held and string.match(held, '([^\n]*)$') or ''
redis.call('HDEL', P .. 'clouds', id)
redis.call('HDEL', P .. 'clouds-text', id)
redis.call('SET', P .. 'cloud-ended:' .. id, '', 'EX', DAY)
if agent ~= '' then redis.call('SET', P .. 'cloud-ended:' .. string.match(id, '^[^/]*') .. '/' .. agent, '', 'EX', DAY) end
return {'ENDED'}
