"""What the ROM of each chip prints at a reset, before any firmware runs.

The ESP32's is recorded (../genuine). The others are from Espressif's documentation of esptool, *Boot log*: that of the
ESP32-S3, https://docs.espressif.com/projects/esptool/en/latest/esp32s3/advanced-topics/boot-mode-selection.html, and the same
page for the ESP32-C3. Lengths and addresses of the segments are examples.
"""

POWER_ON = "0x1 (POWERON_RESET)"
SOFTWARE = "0xc (SW_CPU_RESET)"

ESP32 = (
    "ets Jul 29 2019 12:21:46\r\n\r\n"
    "rst:{reset},boot:{boot} ({mode})\r\n"
    "configsip: 0, SPIWP:0xee\r\n"
    "clk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00\r\n"
    "mode:DIO, clock div:2\r\n"
    "load:0x3fff0018,len:4\r\nload:0x3fff001c,len:5008\r\nload:0x40078000,len:10600\r\n"
    "ho 0 tail 12 room 4\r\nload:0x40080400,len:5684\r\nentry 0x400806bc\r\n"
)
ESP32_DOWNLOAD = (
    "ets Jul 29 2019 12:21:46\r\n\r\nrst:{reset},boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\n"
    "waiting for download\r\n"
)
ESP32S3 = (
    "ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\n"
    "rst:{reset},boot:0x8 (SPI_FAST_FLASH_BOOT)\r\n"
    "SPIWP:0xee\r\nmode:DIO, clock div:1\r\n"
    "load:0x3fce3808,len:0x44c\r\nload:0x403c9700,len:0xbe4\r\nload:0x403cc700,len:0x2a38\r\nentry 0x403c98d4\r\n"
)
ESP32S3_DOWNLOAD = (
    "ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\n"
    "rst:{reset},boot:0x0 (DOWNLOAD(USB/UART0))\r\nwaiting for download\r\n"
)
ESP32C3 = (
    "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n"
    "rst:{reset},boot:0xc (SPI_FAST_FLASH_BOOT)\r\n"
    "SPIWP:0xee\r\nmode:DIO, clock div:1\r\n"
    "load:0x3fcd5810,len:0x438\r\nload:0x403cc710,len:0x918\r\nload:0x403ce710,len:0x25b0\r\nentry 0x403cc710\r\n"
)
ESP32C3_DOWNLOAD = (
    "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n"
    "rst:{reset},boot:0x4 (DOWNLOAD(USB/UART0/1))\r\nwaiting for download\r\n"
)

LOGS = {"esp32": (ESP32, ESP32_DOWNLOAD), "esp32s3": (ESP32S3, ESP32S3_DOWNLOAD), "esp32c3": (ESP32C3, ESP32C3_DOWNLOAD)}
# The newer ROMs name the same causes differently.
NAMES = {POWER_ON: "0x1 (POWERON)", SOFTWARE: "0xc (RTC_SW_CPU_RST)"}


def log(chip, reset, download=False):
    """The log of `chip` after a reset for this reason."""
    text = LOGS[chip][download]
    if chip != "esp32":
        reset = NAMES[reset]
    return text.format(reset=reset, boot="0x13", mode="SPI_FAST_FLASH_BOOT")
