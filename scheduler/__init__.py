"""When things are read: the timetable, who leads, what is due, how sources fare, who is told.

`decide.tick` says what is due, `conductor` carries it out, `runner` is the process around them.
"""
