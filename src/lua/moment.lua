-- Notes something that happened to a member, for people.
--
-- ARGV  controller, what, text
-- Answers  OK
moment(ARGV[2], ARGV[1], ARGV[3])
return {'OK'}
