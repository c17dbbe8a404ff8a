"""What happens in each transcript: one talk per dialogue, as a worker or an officer would have it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from db.models import Role
from scheduler.troubles import Name
from tests.desks import begun, counted, handed_in, reviewed
from tests.transcripts.stage import Stage, secret
from tests.weeks import voided, week

BEFORE = "Trước đây thay dao cắt phải chờ thợ cơ điện, mất gần 30 phút, hàng bị dồn ở khâu cắt."
AFTER = "Nay tổ làm giá gá, người đứng máy tự thay trong 10 phút: kẹp dao, xoay chốt, siết hai vít. Không phải chờ ai."


@dataclass(frozen=True)
class Scene:
    """A title in Vietnamese and what is played."""

    title: str
    play: Callable[[Stage], Awaitable[None]]


SCENES: dict[str, Scene] = {}


def scene(title: str) -> Callable[[Callable[[Stage], Awaitable[None]]], Callable[[Stage], Awaitable[None]]]:
    """Registers a scene under its function's name."""

    def register(play: Callable[[Stage], Awaitable[None]]) -> Callable[[Stage], Awaitable[None]]:
        SCENES[play.__name__] = Scene(title, play)
        return play

    return register


# ---------------------------------------------------------------------------------------------------- joining, menu


@scene("Tham gia")
async def onboarding(stage: Stage) -> None:
    hoa = await stage.stranger("Chị Hoa")
    await hoa.scans("u-MAYHOA", "quét mã QR dán ở bảng tin công ty")
    await hoa.taps(
        "Bắt đầu", "Đọc bản đầy đủ", "Tôi đồng ý", "Có, gửi cho tôi", "Đúng rồi", "NLĐ doanh nghiệp", "Hành chính"
    )
    stage.says("Anh Minh không có mã QR, muốn xem trước, rồi tìm nơi làm việc bằng tên cũ của đơn vị.")
    minh = await stage.stranger("Anh Minh")
    await minh.scans("", "mở trò chuyện lần đầu")
    await minh.taps("Xem thử trước", "Bắt đầu", "Không đồng ý")
    await minh.says("bat dau")
    await minh.taps("Bắt đầu")
    await minh.says("ok")
    await minh.taps("Không, tôi tự xem")
    await minh.says("ab")
    await minh.says("ldld huyen dong tam")
    await minh.says("không")
    await minh.says("truong tieu hoc")
    await minh.taps("Đúng rồi", "CB, công chức, VC", "Không rõ")


@scene("Menu và trợ giúp")
async def menu(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("menu")
    await hoa.taps("Mục khác", "Ngày kỷ niệm", "Trợ giúp")
    await hoa.says("mai may gio hop?")
    await hoa.says("0")
    await hoa.says("ung ho")
    await hoa.says("/huy")
    stage.says("Cùng menu đó, khi là cán bộ.")
    ha = await stage.member("Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
    await ha.says("/menu")
    await ha.taps("Việc cán bộ")


# ---------------------------------------------------------------------------------------------------- campaign


@scene("Thi đua")
async def campaign(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("thi dua")
    await hoa.taps("Nội dung cho tôi", "Nhóm khác", "Cán bộ công đoàn", "Thi đua", "Các phong trào")


@scene("Đăng ký thi đua")
async def registration(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa", name="")
    await hoa.says("/thidua")
    await hoa.taps("Đăng ký thi đua")
    await hoa.says("Hoa")
    await hoa.says("Bùi Thị Hoa")
    await hoa.says("1,3")
    await hoa.says("xong")
    await hoa.says("1")
    await hoa.says("xong")
    await hoa.taps("Gửi đăng ký", "Thi đua", "Đăng ký của tôi")


# ---------------------------------------------------------------------------------------------------- practice


@scene("Ôn luật")
async def practice(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("on luat")
    await hoa.says("1")
    await hoa.says("b")
    await hoa.taps("Câu tiếp")
    await hoa.says("không biết")
    await hoa.says("A")
    await hoa.taps("Báo câu sai")
    await hoa.says("Hình như luật mới đã sửa chỗ này")
    await hoa.says("c")
    await hoa.taps("Nghỉ", "Chủ đề khác")


@scene("Thi tuần, từ lúc vào thi đến khi có kết quả")
async def contest(stage: Stage) -> None:
    await week(stage.world)
    mai = await stage.member("Vũ Ngọc Mai", "TINH", Role.CONTENT_OFFICER)
    lan = await stage.member("Đỗ Thị Lan", "TRUONG", name="")
    stage.says("Chị Lan thi lần đầu.")
    await lan.says("menu")
    await lan.taps("Thi tuần", "Thể lệ", "Thi tuần", "Vào thi", "Đồng ý")
    await lan.says("đỗ thị lan")
    await lan.taps("Hiện họ tên", "Bắt đầu")
    await lan.says("b")
    await lan.says("lui")
    await lan.taps("Câu sau", "A")
    await stage.passes("Mạng rớt. Hai phút sau chị mở lại.", minutes=2)
    await lan.says("thi tuần")
    await lan.taps("Làm tiếp", "D")
    await lan.says("1")
    await lan.says("khoảng một trăm")
    await lan.says("125 người")
    await lan.taps("Nộp bài", "Bài của tôi")
    stage.says("Anh Nam vào thi rồi bỏ dở.")
    nam = await stage.member("Trần Văn Nam", board="hidden")
    await nam.says("/thi")
    await nam.taps("Vào thi", "Đồng ý", "Bắt đầu")
    await nam.says("a")
    await stage.passes("Mười phút sau.", minutes=10)
    stage.says("Chị Mơ đang bận, xin nhắc sau.")
    mo = await stage.member("Hà Thị Mơ")
    await mo.says("thi tuần")
    await mo.taps("Nhắc tôi")
    await stage.passes("Chiều Chủ nhật.", days=2)
    await mo.taps("Thi tuần")
    await stage.passes("Chiều thứ Ba, kết quả được công bố.", days=2, hours=1)
    await lan.taps("Xem đáp án", "Câu tiếp", "Nghỉ", "Kết quả tuần 1", "Thắc mắc")
    await lan.says("Câu 2 hỏi hai cách hiểu, đề nghị xem lại giúp")
    stage.says("Cán bộ xem lại, thấy câu hỏi có hai cách hiểu nên không tính câu này.")
    await voided(stage.world, lan.address, mai.address)
    await stage.passes(minutes=5)


@scene("Hỏi luật")
async def law_answers(stage: Stage) -> None:
    await stage.member("Đỗ Thị Lan", "MAYHOA", Role.GRASSROOTS_CHAIR)
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("menu")
    await hoa.says("tang ca chu nhat duoc bao nhieu?")
    await hoa.taps("Hỏi câu khác")
    await hoa.says("bi duoi viec vo co duoc boi thuong gi")
    await hoa.taps("Hỏi câu khác")
    await hoa.says("gia vang hom nay bao nhieu")
    await hoa.taps("Gặp cán bộ công đoàn")
    await hoa.taps("Menu")
    await hoa.says("bi duoi viec trai luat duoc boi thuong gi a")
    await hoa.says("công ty nợ lương 2 tháng rồi")
    await hoa.says("bé 2 tuổi nhập viện mẹ nghỉ có tiền không")
    await hoa.taps("Con ốm")
    await hoa.says("1 thang duoc tang ca may tieng")
    await hoa.says("/onluat")
    await hoa.says("nghi phep co luong k ad")
    await hoa.taps("Về chỗ cũ")


@scene("Thẩm định câu hỏi luật")
async def law_review(stage: Stage) -> None:
    lan = await stage.member("Đỗ Thị Lan", "TINH", Role.CONTENT_OFFICER)
    await lan.says("/canbo")
    await lan.taps("Thẩm định câu hỏi")
    await lan.says("1")
    await lan.taps("Đúng luật")
    await lan.taps("Sửa lại")
    await lan.says("Cần ghi rõ hợp đồng lao động từ đủ 12 tháng")
    await lan.taps("Bỏ qua", "Duyệt theo danh sách", "Đúng luật cả danh sách")


@scene("Lập tuần thi và gửi lãnh đạo duyệt")
async def contest_form(stage: Stage) -> None:
    await reviewed(stage.world, membership=6, finance=6, wages=6)
    mai = await stage.member("Vũ Ngọc Mai", "TINH", Role.CONTENT_OFFICER)
    minh = await stage.member("Lê Minh", "TINH", Role.LEADER)
    await mai.says("/tochuc")
    await mai.taps("Cuộc thi mới")
    await mai.says("Tìm hiểu Luật Công đoàn 2025")
    await mai.says("Quyền và trách nhiệm của đoàn viên")
    await mai.says("giải nhất một cái tivi")
    await mai.says("1 giải Nhất: 500.000 đồng; 2 giải Nhì: 300.000 đồng; 5 giải Khuyến khích: 100.000 đồng")
    await mai.taps("5")
    await mai.says("quyền gia nhập 1; tiền lương 9")
    await mai.taps("Mục khác")
    await mai.says("Số phút: 12")
    await mai.taps("Xem lại, gửi duyệt", "Sửa")
    await mai.says("Số câu theo chủ đề: quyền gia nhập 1; tài chính 1; tiền lương 1")
    await mai.taps("Xem lại, gửi duyệt", "Gửi lãnh đạo duyệt")
    await minh.taps("Trả lại")
    await minh.says("Đề nghị mở từ 8 giờ để kịp giao ca sáng")
    await mai.taps("Tuần thi này", "Sửa")
    await mai.says("Mở: 8 giờ 28/7/2025")
    await mai.taps("Xem lại, gửi duyệt", "Gửi lãnh đạo duyệt")
    await minh.taps("Duyệt")


@scene("Cán bộ điều hành tuần thi")
async def contest_desk(stage: Stage) -> None:
    round_id = await week(stage.world)
    mai = await stage.member("Vũ Ngọc Mai", "TINH", Role.CONTENT_OFFICER)
    minh = await stage.member("Lê Minh", "TINH", Role.LEADER)
    hoa = await stage.member("Bùi Thị Hoa")
    await begun(stage.world, round_id, hoa.address)
    await mai.says("tổ chức thi")
    await mai.taps("1", "Gia hạn")
    await mai.says("hôm qua")
    await mai.says("21 giờ 28/7/2025")
    await mai.says("Khu công nghiệp mất điện cả ngày thứ Sáu")
    await mai.taps("Đồng ý, báo mọi người")
    await stage.passes(minutes=1)
    await mai.taps("Tuần thi này", "Tạm dừng")
    await mai.says("Soát lại một câu hỏi bị báo sai")
    await mai.says("dong y")
    await stage.passes("Một giờ sau.", minutes=59)
    await hoa.says("thi tuần")
    await mai.taps("Tuần thi này", "Mở lại")
    await stage.passes(minutes=1)
    stage.says("Bão đổ bộ, lãnh đạo quyết định hủy tuần thi.")
    await minh.says("/tochuc")
    await minh.taps("1", "Thể lệ", "Tuần thi này", "Hủy tuần thi")
    await minh.says("Cả tỉnh dồn sức chống bão số 5")
    await minh.taps("Đồng ý, báo mọi người")
    await stage.passes(minutes=1)
    stage.says("Người chưa dự thi vào xem cũng biết.")
    lan = await stage.member("Đỗ Thị Lan")
    await lan.says("thi tuần")


@scene("Thắc mắc, loại câu hỏi, trao giải đến tay")
async def contest_prize(stage: Stage) -> None:
    round_id = await week(stage.world)
    mai = await stage.member("Vũ Ngọc Mai", "TINH", Role.CONTENT_OFFICER)
    tu = await stage.member("Phạm Văn Tú", "MAYHOA", Role.GRASSROOTS_CHAIR)
    hoa = await stage.member("Bùi Thị Hoa", board="full")
    nam = await stage.member("Trần Văn Nam", board="hidden")
    await handed_in(stage.world, round_id, hoa.address, 3, 200)
    await handed_in(stage.world, round_id, nam.address, 3, 240)
    await stage.passes("Chiều thứ Ba, kết quả được công bố.", days=4, minutes=5)
    await stage.passes("Sáng hôm sau.", hours=15)
    await nam.taps("Thắc mắc")
    await nam.says("Câu về kinh phí công đoàn có hai cách hiểu, xin xem lại")
    await mai.taps("Xem, trả lời", "Loại câu hỏi")
    await mai.says("bao nhieu phan tram")
    await mai.taps("1")
    await mai.says("câu hỏi chưa nói rõ của ai đóng")
    await mai.taps("Loại câu này")
    await mai.taps("Thắc mắc", "1", "Trả lời")
    await mai.says("Cảm ơn anh, câu này đã được loại, ai gặp cũng được tính đúng")
    await stage.passes(minutes=5)
    await stage.passes("Hết hạn thắc mắc, giải được trao.", days=3)
    await hoa.taps("Gửi số điện thoại")
    await hoa.says("sdt cua toi")
    await hoa.says("0912 345 678")
    await tu.says("/canbo")
    await tu.taps("Xác minh giải", "1", "Đúng người của đơn vị")
    await mai.says("/canbo")
    await mai.taps("Giải thưởng chờ", "1", "Đã chuyển CĐCS")
    await hoa.taps("Đã nhận")
    await mai.taps("Giải thưởng")


@scene("Bảng xếp hạng")
async def leaderboard(stage: Stage) -> None:
    round_id = await week(stage.world)
    await counted(stage.world, round_id, {"MAYHOA": (156, 250), "DIENTU": (145, 250), "TRUONG": (29, 32)})
    hoa = await stage.member("Bùi Thị Hoa", "CHUYEN5")
    await hoa.says("xep hang")
    await hoa.taps("Nhóm khác", "Nhóm khác", "Theo số người", "Cá nhân")


@scene("Trả lời người báo câu hỏi sai")
async def question_reports(stage: Stage) -> None:
    lan = await stage.member("Đỗ Thị Lan", "TINH", Role.CONTENT_OFFICER)
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("on luat")
    await hoa.says("1")
    await hoa.says("b")
    await hoa.taps("Báo câu sai")
    stage.lines.clear()
    stage.says("Chị Hoa đang ôn luật, thấy câu 1 chưa đúng nên bấm Báo câu sai.")
    await hoa.says("Hình như luật mới đã sửa chỗ này")
    await lan.says("/canbo")
    await lan.taps("Xem, trả lời", "Trả lời")
    await lan.says("Đã")
    await lan.says("Đã đối chiếu lại, câu này đúng với khoản 2 Điều 5 của luật đang có hiệu lực.")
    stage.says("Câu sau thì người báo nói đúng: đồng chí Lan rút câu ấy.")
    await hoa.says("b")
    await hoa.taps("Báo câu sai")
    await hoa.says("Khoản này đã sửa đổi rồi ạ")
    await lan.taps("Xem, trả lời", "Rút câu này")
    await lan.says("Khoản này được sửa đổi, câu hỏi không còn đúng")
    await lan.taps("Rút câu này")


# ---------------------------------------------------------------------------------------------------- reports


@scene("Gửi sáng kiến")
async def report(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    await stage.member("Quách Văn An")
    await hoa.says("sang kien")
    await hoa.taps("Sáng kiến")
    await hoa.says("Giá gá")
    await hoa.says("Giá gá giúp thay dao cắt nhanh gấp ba")
    await hoa.taps("Kỹ thuật")
    await hoa.says("Chậm")
    await hoa.taps("Xong bước này")
    await hoa.says(BEFORE)
    await hoa.says("xong")
    await hoa.says("lui")
    await hoa.says("giữ")
    await hoa.says(AFTER)
    await hoa.says("huy")
    await hoa.taps("Lưu nháp")
    await stage.passes("Hôm sau.", days=1)
    await hoa.says("menu")
    await hoa.says("/sangkien")
    await hoa.taps("Làm tiếp")
    await hoa.says("xong")
    await hoa.taps("Đang áp dụng")
    await hoa.says("tháng 3/2025, chuyền 5")
    await hoa.taps("Tiền làm lợi")
    await hoa.says("12tr")
    await hoa.taps("Đúng", "Tiếp")
    await hoa.sends_photos(2, "trước và sau")
    await hoa.taps("Tiếp", "Có", "Đồng tác giả")
    await hoa.says("Tôi 60%\nQuách Văn An 30%")
    await hoa.says("Tôi 60%\nQuách Văn An 40%")
    await hoa.taps("Cách hiện tên", "Chỉ tên, đơn vị", "Xem lại và gửi", "Gửi")


@scene("Gửi mô hình mới, cách làm hay")
async def report_practice(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("cach lam hay")
    await hoa.taps("Mô hình, cách làm")
    await hoa.says("Mười phút đầu ca cùng kiểm tra máy")
    await hoa.taps("An toàn")
    await hoa.says("Trước đây mỗi người tự xem máy của mình, hay sót, có tuần hỏng ba lần.")
    await hoa.says("xong")
    await hoa.says("Nay cả tổ đi một vòng mười phút đầu ca, mỗi người xem một mục theo tờ giấy dán ở máy.")
    await hoa.says("xong")
    await hoa.taps("Đang làm thử")
    await hoa.says("tháng 6, tổ 3")
    await hoa.taps("Chưa tính được", "Không có", "Không", "Xem lại và gửi", "Gửi")


@scene("Kể gương người tốt, việc tốt")
async def report_good_deed(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("/sangkien")
    await hoa.taps("Người tốt, việc tốt")
    await hoa.says("Anh Bàn Văn Minh, tổ cắt")
    await hoa.says(
        "Tan ca tối anh Minh thấy ví rơi ở cổng, trong có hơn 5 triệu, anh gửi bảo vệ tìm trả lại chị công nhân chuyền 2."
    )
    await hoa.says("xong")
    await hoa.says("tối 12/7, cổng công ty")
    await hoa.taps("Bỏ qua", "Không có", "Chưa hỏi", "Gửi")


@scene("Hồ sơ của tôi")
async def mysubmissions(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("/hoso")
    await stage.submitted(hoa)
    stage.says("Chị Hoa đã gửi một sáng kiến.")
    await hoa.says("ho so")
    await hoa.says("1")
    await hoa.taps("Rút hồ sơ", "Không", "Rút hồ sơ", "Rút")
    await hoa.says("sk 25 0001")
    await hoa.says("ho so")
    await hoa.says("sk 25 0001")
    await hoa.says("SK-25-0099")


@scene("Bổ sung hồ sơ")
async def supplement(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    ha = await stage.member("Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
    await stage.submitted(hoa)
    stage.says("Chị Hoa đã gửi một sáng kiến.")
    await ha.says("/duyet SK-25-0001")
    await ha.taps("Nhận xử lý", "Cần bổ sung")
    await ha.says("2,3")
    await ha.taps("Gửi")
    await hoa.taps("Gửi bổ sung", "Gửi bổ sung")
    await hoa.says("Trước 30 phút, nay 10 phút, mỗi tuần thay 4 lần.")
    await hoa.sends_photos(1)
    await hoa.taps("Gửi bổ sung", "Xem hồ sơ")
    await ha.taps("Mở hồ sơ")


@scene("Xét hồ sơ")
async def moderation(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    ha = await stage.member("Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
    await stage.submitted(hoa)
    stage.says("Chị Hoa đã gửi một sáng kiến.")
    await ha.says("/duyet")
    await ha.taps("Lọc", "Mới")
    await ha.says("1")
    await ha.taps("Nhận xử lý", "Việc khác", "Ghi chú nội bộ")
    await ha.says("Đã gọi tổ trưởng, có làm thật.")
    await ha.taps("Không chọn")
    await ha.says("9")
    await ha.says("2")
    await ha.taps("Thôi", "Chấp nhận", "Chấp nhận")
    stage.says("Anh An viết một sáng kiến gần giống, đã đến bước xem lại.")
    an = await stage.member("Quách Văn An")
    await stage.drafted(an)
    await an.says("/sangkien")
    await an.taps("Làm tiếp", "Gửi", "Vẫn gửi")
    await stage.passes(seconds=5)
    await ha.says("/duyet SK-25-0002")
    await ha.taps("Nhận xử lý", "Việc khác", "So hồ sơ giống", "Không chọn")
    await ha.says("Cách làm này đã có ở tổ khác, mời anh ghi rõ điểm mới rồi gửi lại.")
    await ha.taps("Gửi")


@scene("Không chọn, tác giả hỏi lại, cấp trên mở lại")
async def moderation_question(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    ha = await stage.member("Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
    tien = await stage.member("Hoàng Minh Tiến", "TINH", Role.UPPER_OFFICER)
    await stage.submitted(hoa)
    await ha.says("/duyet SK-25-0001")
    await ha.taps("Không chọn")
    await ha.says("1")
    await ha.taps("Gửi")
    await hoa.taps("Hỏi lại")
    await hoa.says("Tổ tôi đang dùng từ tháng 3 rồi ạ, xin xem lại giúp.")
    await ha.taps("Trả lời")
    await ha.says("Cảm ơn chị, công đoàn sẽ nhờ cấp trên xem lại.")
    await ha.taps("Gửi")
    await tien.says("/duyet SK-25-0001")
    await tien.taps("Mở lại để xét thêm")
    await tien.says("Tổ đã áp dụng từ tháng 3, cần xét lại.")
    await tien.taps("Gửi")
    await hoa.says("/hoso SK-25-0001")


@scene("Liên hệ tác giả")
async def moderation_contact(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    ha = await stage.member("Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
    await stage.submitted(hoa)
    await ha.says("/duyet SK-25-0001")
    await ha.taps("Nhận xử lý", "Việc khác", "Liên hệ tác giả")
    await ha.says("Chiều thứ ba công đoàn xuống chuyền xem giá gá được không ạ?")
    await ha.taps("Gửi")
    await hoa.taps("Trả lời")
    await hoa.says("Được ạ, sau 14 giờ em rảnh.")
    await ha.taps("Mở hồ sơ")
    await hoa.says("/hoso SK-25-0001")


@scene("Chọn nhiều hồ sơ")
async def moderation_batch(stage: Stage) -> None:
    ha = await stage.member("Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
    for name in ("Bùi Thị Hoa", "Quách Văn An", "Đỗ Thị Lan"):
        await stage.submitted(await stage.member(name))
    await ha.says("/canbo")
    await ha.taps("Xét hồ sơ", "Chọn nhiều hồ sơ")
    await ha.says("1,3")
    await ha.taps("Xong", "Chấp nhận cả 2")


# ---------------------------------------------------------------------------------------------------- announcing


@scene("Soạn và gửi thông báo")
async def announcing(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    ha = await stage.member("Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
    await ha.says("/guitin")
    await ha.taps("Thông báo", "Nhóm")
    await ha.says("1,2")
    await ha.taps("Xong", "Tiếp")
    await ha.says("LƯU HÀNH NỘI BỘ: danh sách kèm theo")
    await ha.says(
        "Chào {ten}, mời anh/chị dự hội nghị kỷ niệm 95 năm Ngày thành lập Công đoàn Việt Nam, 8 giờ ngày 28/7 tại hội trường xã."
    )
    await ha.taps("Tiếp", "Sửa")
    await ha.says(
        "Chào {ten}, mời anh/chị dự hội nghị kỷ niệm Ngày thành lập Công đoàn Việt Nam, 8 giờ ngày 28/7 tại hội trường xã."
    )
    await ha.taps("Tiếp")
    await ha.taps("Gửi thử cho tôi", "Hẹn giờ")
    await ha.says("23h")
    await ha.taps("Giờ khác")
    await ha.says("hôm qua")
    await ha.says("19 giờ hôm nay")
    await ha.taps("Xác nhận")
    await stage.passes("Đến 19 giờ.", hours=2, minutes=5)
    await stage.passes("Một phút sau.", minutes=1)
    await ha.taps("Đính chính")
    await ha.says("Hội nghị bắt đầu lúc 8 giờ 30, không phải 8 giờ.")
    await ha.taps("Tiếp", "Gửi ngay", "Xác nhận")
    await stage.passes("Một phút sau.", minutes=1)
    await hoa.taps("Bớt tin", "Tin tuyên truyền")


@scene("Người thứ hai duyệt tin")
async def steering(stage: Stage) -> None:
    tien = await stage.member("Hoàng Minh Tiến", "TINH", Role.UPPER_OFFICER)
    dai = await stage.member("Đinh Quang Đại", "TINH", Role.LEADER)
    await tien.says("/guitin")
    await tien.taps("Tuyên truyền", "Tiếp")
    await tien.says("Mời anh/chị hưởng ứng Tháng An toàn, vệ sinh lao động.")
    await tien.taps("Tiếp", "Tiếp", "Theo giờ từng người", "Xác nhận")
    await dai.taps("Trả lại kèm ý kiến")
    await dai.says("Ghi rõ tháng nào giúp.")
    await tien.taps("Soạn lại", "Sửa nội dung")
    await tien.says("Mời anh/chị hưởng ứng Tháng hành động về an toàn, vệ sinh lao động năm 2025.")
    await tien.taps("Tiếp", "Tiếp", "Theo giờ từng người", "Xác nhận")
    await dai.taps("Duyệt gửi")


@scene("Dừng khẩn, chế độ trang nghiêm")
async def stopping(stage: Stage) -> None:
    dai = await stage.member("Đinh Quang Đại", "TINH", Role.LEADER)
    await dai.says("/dungkhan")
    await dai.taps("Dừng ngay", "Chế độ trang nghiêm", "Tắt trang nghiêm", "Cho gửi lại", "Cho gửi lại")
    await dai.says("dung khan")
    await dai.taps("Thôi")
    tien = await stage.member("Hoàng Minh Tiến", "TINH", Role.UPPER_OFFICER)
    await tien.says("/dungkhan")


@scene("Đọc lại thông báo, dừng tin")
async def rereading(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    ha = await stage.member("Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
    await hoa.says("/thongbao")
    before = len(stage.lines)
    await ha.says("/guitin")
    await ha.taps("Thông báo", "Tiếp")
    await ha.says("Chiều thứ Hai công đoàn xã trực tư vấn pháp luật tại trụ sở, mời {ten} ghé qua.")
    await ha.taps("Tiếp", "Tiếp", "Gửi ngay", "Xác nhận")
    del stage.lines[before:]
    await stage.passes("Công đoàn xã gửi một thông báo.", minutes=1)
    await hoa.says("thong bao")
    await hoa.says("1")
    await hoa.says("/dungtin")
    await hoa.taps("Bật lại")


# ---------------------------------------------------------------------------------------------------- what goes out by itself


@scene("Lịch nội dung và tin tự động ngày mai")
async def automatic(stage: Stage) -> None:
    mai = await stage.member("Vũ Ngọc Mai", "TINH", Role.CONTENT_OFFICER)
    dai = await stage.member("Đinh Quang Đại", "TINH", Role.LEADER)
    hoa = await stage.member("Bùi Thị Hoa")
    await mai.says("/lich")
    await mai.says("2")
    await mai.taps("Về lịch", "Thêm", "Ảnh tháng 9")
    await stage.passes("Hai ngày sau.", days_too=True, days=1, hours=23, minutes=30)
    await mai.taps("Sửa")
    await mai.says("Chúc mừng")
    await mai.says(
        "Hôm nay 28/7/2025, kỷ niệm 97 năm Ngày thành lập Công đoàn Việt Nam. Cảm ơn anh/chị đã gắn bó với Công đoàn."
    )
    await mai.taps("Sửa lại")
    await mai.says(
        "Hôm nay 28/7/2025, kỷ niệm 96 năm Ngày thành lập Công đoàn Việt Nam. Cảm ơn anh/chị đã gắn bó với Công đoàn."
    )
    await mai.taps("Xong, nhờ duyệt")
    await stage.passes("Một phút sau.", minutes=1)
    await dai.taps("Không gửi", "Gửi")
    await mai.says("/canbo")
    await stage.passes("Chiều hôm sau, khi tan ca.", days_too=True, hours=25, minutes=30)
    assert "Cảm ơn anh/chị đã gắn bó" in hoa.last.text


# ---------------------------------------------------------------------------------------------------- units, profile


@scene("Đơn vị và mời cán bộ")
async def units(stage: Stage) -> None:
    ha = await stage.member("Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
    minh = await stage.member("Bàn Văn Minh", confirmed=False)
    await ha.says("/donvi")
    await ha.taps("Xác nhận đoàn viên", "Đúng cả danh sách", "Quay lại", "Mời cán bộ", "Chủ tịch CĐCS")
    await ha.says("may hoa phat")
    code = secret(ha.last.text)
    await minh.scans(f"i-{code}", "bấm đường mời")
    await ha.taps("Đúng")
    await minh.taps("Việc cán bộ")
    await ha.says("/donvi")
    await ha.taps("Mã QR của đơn vị")
    await ha.says("may hoa phat")
    await ha.says("/donvi")
    await ha.taps("Ai đang có quyền")
    await ha.says("1")
    await ha.taps("Thu hồi")
    await minh.scans(f"i-{code}", "bấm lại đường mời cũ")


@scene("Sự cố kỹ thuật")
async def alarms(stage: Stage) -> None:
    tam = await stage.member("Phạm Văn Tâm", "TINH", Role.SYSTEM_ADMIN)
    stage.says("Mạng của máy chủ bị chặn, đồng hồ bị ai đó chỉnh sai.")
    await stage.trouble(Name.POLLING, Name.CLOCK)
    await tam.says("su co")
    await tam.taps("Tôi đang xử lý")
    stage.says("Mạng thông lại, giờ đã chỉnh đúng.")
    await stage.trouble()
    await tam.says("/suco")


@scene("Việc của đơn vị dịp kỷ niệm")
async def activities(stage: Stage) -> None:
    ha = await stage.member("Lê Thu Hà", "MAYHOA", Role.GRASSROOTS_CHAIR)
    await ha.says("ngay le")
    await ha.taps("Việc của đơn vị", "03/02/2026")
    await ha.says("Chào cờ nhé 🎉")
    await ha.says("7 giờ 30 chào cờ và phát động ca làm không lỗi.")
    await ha.taps("Lưu")
    await ha.says("/ngayle")


@scene("Cá nhân và quyền dữ liệu")
async def profile(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("ca nhan")
    await hoa.taps("Sửa thông tin", "Họ tên")
    await hoa.says("Hoa")
    await hoa.says("Bùi Thị Thanh Hoa")
    await hoa.taps("Tin nhắc", "Phong trào", "Quay lại", "Giờ nhận tin", "Không nhắn từ … đến …")
    await hoa.says("buổi tối")
    await hoa.says("tu 9h toi den 5h sang")
    await hoa.taps("Giờ nhận tin", "Ca đêm", "Tải dữ liệu")
    await stage.passes("Một phút sau.", minutes=1)
    await hoa.says("/canhan")
    await hoa.taps("Rút đồng ý", "Không", "Xóa tất cả", "Tôi muốn xóa")
    await hoa.says("xoa het")
    await hoa.says("xoa")
    await hoa.says("menu")
