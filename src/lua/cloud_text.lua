-- Reads the text of an agent of a cloud.
--
-- ARGV  id of the slot
-- Answers  the text with its seal; nothing when there is none
local text = redis.call('HGET', P .. 'clouds-text', ARGV[1])
return text and {text} or {}
