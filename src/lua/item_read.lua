-- One item.
--
-- ARGV  id
-- Answers  packed payload mac | (nothing)
local v = load_whole(ARGV[1])
if not v then return {} end
return {pack(ARGV[1], v), v[PAYLOAD] or '', v[MAC] or ''}
