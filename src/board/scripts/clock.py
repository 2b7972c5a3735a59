# What `udpcli board rtc` calls. Runs after helper.py, in the same dictionary.
def clock(*date):  # on the line: c
    # A date is (year, month, day, weekday, hour, minute, second). The ESP32 works out the weekday itself.
    rtc = load_module('umachine', 'machine').RTC()
    if date:
        rtc.datetime(date + (0,))
    write(' '.join(str(part) for part in rtc.datetime()))
