-- What happened to an item, ended ones too.
--
-- ARGV  id
-- Answers  lines of its trace ('': none is kept), packed ('': Redis has the item itself no more)
local id = ARGV[1]
local v = load(id)
return {redis.call('GET', P .. 'trace:' .. id) or '', v and pack(id, v) or ''}
