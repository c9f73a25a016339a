"""What the columns of the generated files measure, as feed air_city_hourly declares it."""

# Column of the file, measure, averaging, unit.
MEASURES = [
    ("AQI", "AQI", "1h", "index"),
    ("PM2.5", "PM25", "1h", "ug_m3"),
    ("PM2.5_24h", "PM25", "24h", "ug_m3"),
    ("PM10", "PM10", "1h", "ug_m3"),
    ("PM10_24h", "PM10", "24h", "ug_m3"),
    ("SO2", "SO2", "1h", "ug_m3"),
    ("SO2_24h", "SO2", "24h", "ug_m3"),
    ("NO2", "NO2", "1h", "ug_m3"),
    ("NO2_24h", "NO2", "24h", "ug_m3"),
    ("O3", "O3", "1h", "ug_m3"),
    ("O3_24h", "O3", "1h_max_24h", "ug_m3"),
    ("O3_8h", "O3", "8h", "ug_m3"),
    ("O3_8h_24h", "O3", "8h_max_24h", "ug_m3"),
    ("CO", "CO", "1h", "mg_m3"),
    ("CO_24h", "CO", "24h", "mg_m3"),
]
