"""What workers ask in their own words finds the fact that answers among the first three; what no fact answers finds none."""

from __future__ import annotations

from datetime import date

import pytest

from content.law import load_law
from content.law_search import LawSearch, load_search

ON = date(2026, 11, 26)

ASKED: dict[str, tuple[str, ...]] = {
    "tang ca duoc bao nhieu tien": ("LD-48",),
    "tang ca chu nhat tinh luong the nao": ("LD-48",),
    "di lam ngay le duoc tra luong may lan": ("LD-48",),
    "ot dem tinh sao ad": ("LD-49",),
    "lam ca dem duoc them bao nhieu %": ("LD-49",),
    "cty bat tang ca co dc tu choi k": ("LD-55",),
    "tang ca toi da may tieng 1 nam": ("LD-58",),
    "1 ngay tang ca toi da may tieng": ("LD-56",),
    "ca dem tinh tu may gio": ("LD-54",),
    "nghi giua ca bao nhieu phut": ("LD-59",),
    "luong toi thieu vung 1 la bao nhieu": ("LD-42",),
    "luong thu viec duoc bao nhieu phan tram": ("LD-16",),
    "thu viec toi da may thang": ("LD-14", "LD-15"),
    "dang thu viec muon nghi co phai bao truoc ko": ("LD-18",),
    "cong ty no luong 2 thang thi lam sao": ("LD-47", "LD-23"),
    "cham luong co duoc den bu khong": ("LD-47",),
    "di muon bi tru luong dung khong": ("LD-74",),
    "cong ty phat tien di tre": ("LD-74",),
    "lam hong may bi tru luong bao nhieu": ("LD-51",),
    "co duoc xem bang luong khong": ("LD-44",),
    "phi chuyen luong qua the ai tra": ("LD-45",),
    "phep nam duoc may ngay": ("LD-66",),
    "nghi viec con phep chua nghi co duoc tra tien ko": ("LD-69",),
    "lam 5 nam them may ngay phep": ("LD-67",),
    "cong don phep 3 nam duoc khong": ("LD-68",),
    "tet nghi may ngay": ("LD-63", "LD-114"),
    "2/9 duoc nghi may ngay": ("LD-64", "LD-63"),
    "ngay le trung chu nhat co duoc nghi bu khong": ("LD-62",),
    "cuoi vo duoc nghi may ngay": ("LD-70",),
    "bo me mat duoc nghi may ngay": ("LD-70",),
    "ba noi mat nghi co luong khong": ("LD-71",),
    "xin nghi viec phai bao truoc bao lau": ("LD-21", "LD-22"),
    "hop dong 1 nam xin nghi viec bao truoc may ngay": ("LD-22",),
    "bi quay roi o xuong co duoc nghi ngang khong": ("LD-23", "LD-03"),
    "nghi ngang bi phat gi": ("LD-27",),
    "bi duoi viec vo co duoc boi thuong gi": ("LD-26",),
    "co bau bi duoi viec co dung luat khong": ("LD-24",),
    "co thai co phai lam ca dem khong": ("LD-78",),
    "nuoi con nho duoc ve som bao nhieu phut": ("LD-79",),
    "nghi khong phep may ngay thi bi sa thai": ("LD-75", "LD-25"),
    "tro cap thoi viec tinh the nao": ("LD-28",),
    "nghi viec bao lau thi duoc tra luong": ("LD-30",),
    "cty giu bang goc cua em co duoc ko": ("LD-11",),
    "bi giu cccd khi di xin viec": ("LD-11",),
    "vao lam phai dat coc 500k dung khong": ("LD-12",),
    "ky hop dong may lan thi thanh khong thoi han": ("LD-07",),
    "hop dong het han chua ky lai van di lam": ("LD-08",),
    "khong ky hop dong chi noi mieng co duoc khong": ("LD-09",),
    "dinh cong co duoc tra luong khong": ("DC-D08",),
    "bao nhieu tuoi duoc nghi huu": ("LD-80",),
    "dong bao hiem bao nhieu nam thi co luong huu": ("BH-29",),
    "nghi huu truoc tuoi bi tru bao nhieu": ("BH-31",),
    "dieu kien nghi de la gi": ("BH-21",),
    "nghi de duoc bao nhieu tien": ("BH-24",),
    "di kham thai duoc nghi may lan": ("BH-20",),
    "con om duoc nghi may ngay": ("BH-19",),
    "nghi om duoc huong bao nhieu phan tram": ("BH-17",),
    "nghi om duoc may ngay 1 nam": ("BH-15",),
    "rut bhxh 1 lan dieu kien sao": ("BH-33",),
    "rut bao hiem xa hoi 1 lan duoc bao nhieu": ("BH-34",),
    "cong ty khong dong bhxh cho cong nhan": ("BH-01", "BH-11", "BH-13"),
    "ban so bao hiem co bi sao khong": ("BH-14",),
    "cty no bao hiem bi phat the nao": ("BH-11", "BH-13"),
    "bao hiem that nghiep dong may thang thi duoc huong": ("VL-03",),
    "bao hiem that nghiep duoc bao nhieu tien": ("VL-05",),
    "nghi viec bao lau thi phai nop ho so bhtn": ("VL-04",),
    "huong that nghiep duoc may thang": ("VL-06",),
    "tien bao hiem tru vao luong bao nhieu phan tram": ("BH-06",),
    "tai nan tren duong di lam co duoc tinh tai nan lao dong khong": ("AT-17",),
    "bi tai nan lao dong nghi dieu tri co luong khong": ("AT-19",),
    "tai nan lao dong do loi cua minh co duoc gi khong": ("AT-22",),
    "cty bat tu mua do bao ho": ("AT-09",),
    "kham suc khoe dinh ky ai tra tien": ("AT-05",),
    "thay nguy hiem co duoc bo khong lam khong": ("AT-01", "LD-04"),
    "kinh phi cong doan ai dong": ("CD-58",),
    "co bat buoc vao cong doan khong": ("CD-10",),
    "chu tich cong doan duoc may gio lam cong doan": ("CD-48",),
    "vao cong doan co duoc luat su mien phi khong": ("CD-43",),
    "cong doan co may cap": ("CD-18",),
    "công ty giữ căn cước của tôi": ("LD-11",),
    "Tăng ca ngày Tết được bao nhiêu?": ("LD-48",),
}
"""As workers type it: without marks, short, with slang. Any of the facts named answers it."""

NOTHING = (
    "thoi tiet hom nay the nao", "gia vang hom nay bao nhieu", "cach nau pho bo", "toi muon mua nha tra gop",
    "lam sao de ly hon", "ly hon chia tai san the nao", "thue thu nhap ca nhan tinh sao", "dang ky tam tru o dau",
    "lam ho chieu mat bao nhieu tien", "bang lai xe het han phat bao nhieu", "vay tien ngan hang nao lai thap",
    "xe bus so may di khu cong nghiep", "mat khau wifi la gi", "may gio co com", "ai la giam doc cong ty",
    "bong da toi nay may gio", "dat dai sang ten the nao", "thua ke dat dai", "hoc bong dai hoc bao nhieu", "doan phi dong bao nhieu",
    "con toi hoc lop may thi duoc mien hoc phi", "chung khoan hom nay", "mai may gio hop", "ban co khoe khong",
    "uong thuoc gi khi dau dau", "giay khai sinh lam o dau",
)  # fmt: skip


@pytest.fixture(scope="module")
def search() -> LawSearch:
    return load_search(load_law())


@pytest.mark.parametrize("asked", ASKED)
def test_what_workers_ask_finds_the_fact_that_answers_among_the_first_three(search: LawSearch, asked: str) -> None:
    found = [fact.id for fact in search.ask(asked, ON).facts]
    assert set(found) & set(ASKED[asked]), found
    assert len(found) <= 3


@pytest.mark.parametrize("asked", NOTHING)
def test_what_no_fact_answers_finds_none(search: LawSearch, asked: str) -> None:
    assert [fact.id for fact in search.ask(asked, ON).facts] == []
